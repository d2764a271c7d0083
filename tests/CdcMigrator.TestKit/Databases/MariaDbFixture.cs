using Xunit;

namespace CdcMigrator.TestKit.Databases;

/// <summary>
/// One MariaDB server for a whole test run, started on first use. Tests take databases of their own from it. Without MariaDB's programs, tests skip
/// with the reason, or fail where <c>CDCM_REQUIRE_E2E=1</c>.
/// </summary>
public sealed class MariaDbFixture : IAsyncDisposable
{
    private readonly Lock gate = new();
    private Task<MariaDbServer>? server;
    private int databases;

    /// <summary>The server. Skips the calling test where there is none.</summary>
    public Task<MariaDbServer> RequireAsync()
    {
        if (!MariaDbServer.IsInstalled)
        {
            Assert.False(Kit.KitFixture.IsRequired, "MariaDB is required (CDCM_REQUIRE_E2E=1) but not installed");
            Assert.Skip("no MariaDB server: install mariadb-server");
        }

        lock (gate)
        {
            return server ??= MariaDbServer.StartAsync();
        }
    }

    /// <summary>Makes a new database, runs SQL in it and returns its name.</summary>
    public async Task<string> CreateAsync(string sql)
    {
        var running = await RequireAsync();
        var name = $"m{Interlocked.Increment(ref databases)}";
        await running.ExecuteAsync($"create database {name} character set utf8mb4");
        await running.ExecuteAsync(sql, name);
        return name;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await (await server).DisposeAsync();
        }
    }
}

using CdcMigrator.Embedded.Servers;
using Npgsql;
using Xunit;

namespace CdcMigrator.TestKit.Databases;

/// <summary>
/// Two PostgreSQL servers for a whole test run, a source and a target (the newest version found), started on first use. Tests
/// take databases of their own from them and never touch the servers themselves: a test that kills a server starts its own.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private int databases;

    /// <summary>The older version found.</summary>
    public LocalPostgresServer Source { get; private set; } = null!;

    /// <summary>The newest version found; the same server where there is one only.</summary>
    public LocalPostgresServer Target { get; private set; } = null!;

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        var found = PostgresInstallation.FindAll();
        Source = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Installation = found.Count > 0 ? found[0] : null });
        Target = found.Count > 1 ? await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Installation = found[^1] }) : Source;
    }

    /// <summary>Makes a new database on the source server and runs SQL in it.</summary>
    public Task<TestDatabase> CreateSourceAsync(string sql = "") => CreateAsync(Source, sql);

    /// <summary>Makes a new database on the target server and runs SQL in it.</summary>
    public Task<TestDatabase> CreateTargetAsync(string sql = "") => CreateAsync(Target, sql);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        if (!ReferenceEquals(Source, Target))
        {
            await Target.DisposeAsync();
        }
    }

    private async Task<TestDatabase> CreateAsync(LocalPostgresServer server, string sql)
    {
        var name = $"t{Interlocked.Increment(ref databases)}";
        var connection = await server.CreateDatabaseAsync(name, sql);
        return new TestDatabase(connection, NpgsqlDataSource.Create(connection));
    }
}

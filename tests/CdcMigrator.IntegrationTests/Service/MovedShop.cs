using CdcMigrator.Embedded.Workload;
using CdcMigrator.Service.Api;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>
/// A shop under writers that is moved with the embedded log, and the processes of that migration. Of several the first one has the log; another one waits for it and meanwhile answers, keeps the fences and
/// shows what the databases say, until it takes the log over.
/// </summary>
internal sealed class MovedShop : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cdcm-moved-shop");
    private readonly List<MigrationProcess> processes = [];
    private readonly string migration;
    private readonly string definition;
    private string last = "";

    private MovedShop(TestDatabase source, TestDatabase target, string migration, string more)
    {
        (Source, Target, this.migration) = (source, target, migration);
        definition = $$"""
            migration: {{migration}}
            source:  { kind: postgresql, connection: "{{source.ConnectionString}}" }
            target:  { connection: "{{target.ConnectionString}}" }
            log: embedded
            tables:  [ {{string.Join(", ", ShopSchema.Tables.Select(table => $"{{ source: {table} }}"))}} ]
            cutover: { lease: 10s, budget: 5m, maxLag: 5m, deadlines: { fencing: 1m, draining: 1m, finalVerify: 1m, reverseArmed: 1m } }
            {{more}}
            """;
        Workload = ShopWorkload.Start(new WriteSide("source", source.ConnectionString), new ShopWorkloadOptions { Rate = 40, Writers = 6, AdoptedCustomers = 30 });
    }

    public TestDatabase Source { get; }

    public TestDatabase Target { get; }

    public ShopWorkload Workload { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="postgres">The servers.</param>
    /// <param name="migration">Its name.</param>
    /// <param name="more">More sections of the migration file.</param>
    public static async Task<MovedShop> CreateAsync(PostgresFixture postgres, string migration, string more = "")
    {
        var source = await postgres.CreateSourceAsync(ShopSchema.Sql);
        var target = await postgres.CreateTargetAsync(ShopSchema.Sql);
        await ShopSchema.LoadAsync(source.ConnectionString, 500, Cancellation);
        return new MovedShop(source, target, migration, more);
    }

    /// <summary>Starts a process.</summary>
    public MigrationProcess Start()
    {
        var process = new MigrationProcess(folder.CreateSubdirectory($"{processes.Count + 1}"), definition);
        processes.Add(process);
        return process;
    }

    /// <summary>A process that has the log of both ways, and then another one.</summary>
    public async Task<(MigrationProcess First, MigrationProcess Second)> StartPairAsync()
    {
        var first = Start();
        await UntilPreparedAsync(first);
        await UntilEqualAsync(first);
        return (first, await StartSecondAsync(first));
    }

    /// <summary>Another process, once the first one has the logs of both ways: each has one reader, and they belong in one process.</summary>
    public async Task<MigrationProcess> StartSecondAsync(MigrationProcess first)
    {
        await UntilAsync("the way back to run", async () => await first.LookAsync<StatusReport>("/back/api/status") is { Lanes.Count: > 0 });
        var second = Start();
        await UntilAnswersAsync(second);
        return second;
    }

    /// <summary>
    /// Another process, once the one that has the logs has begun both anew: a log that a cutover has turned is free for a moment, and whoever waits for it may take it.
    /// </summary>
    /// <param name="first">The process that has them.</param>
    /// <param name="before">The logs before the cutover.</param>
    public async Task<MigrationProcess> StartSecondAsync(MigrationProcess first, (string? Forward, string? Back) before)
    {
        await UntilAsync("both logs to be turned", async () => await LogsAsync() is var now && now.Forward != before.Forward && now.Back != before.Back);
        return await StartSecondAsync(first);
    }

    /// <summary>Waits until a process answers.</summary>
    public Task UntilAnswersAsync(MigrationProcess process) => UntilAsync("the process to answer", async () => await process.LookAsync<StatusReport>("/api/status") is not null);

    /// <summary>Waits until a process applies changes.</summary>
    public Task UntilAppliesAsync(MigrationProcess process) =>
        UntilAsync("the process to apply", async () => await process.LookAsync<StatusReport>("/api/status") is { Phase: ServicePhase.Replicating, Lanes.Count: > 0 });

    /// <summary>Prepares both sides.</summary>
    public async Task UntilPreparedAsync(MigrationProcess process)
    {
        await UntilAppliesAsync(process);
        await process.AskAsync<CutoverStatus>(0, "cutover", "prepare");
    }

    /// <summary>Waits until a pause waits for a session of the target.</summary>
    public Task UntilPauseWaitsForAsync(int session) => UntilAsync("the pause to wait", () => Target.ScalarAsync<bool>(
        $"select exists (select from pg_stat_activity where query like '%where name = $1 for update' and {session} = any(pg_blocking_pids(pid)))"));

    /// <summary>Compares until every row was equal: those that are written all the time may be on their way at the end of a comparison.</summary>
    public Task UntilEqualAsync(MigrationProcess process, bool back = false) => UntilAsync("both sides to be equal", async () =>
    {
        string[] verb = ["verify", "start", "--wait", "--timeout", "2m"];
        var compared = back ? await process.RunBackAsync(verb) : await process.RunAsync(verb);
        last = compared.Output + compared.Error;
        return compared.ExitCode == 0;
    });

    /// <summary>Makes attempts, as a person would, until one stands at a point.</summary>
    /// <returns>The answer of that one, which comes once it is let go on.</returns>
    public async Task<Task<ProcessResult>> AttemptUpToAsync(MigrationProcess process, string point, params string[] verb)
    {
        process.HoldAt(point);
        var attempt = Attempt();
        await UntilAsync($"an attempt at {point}", async () =>
        {
            if (attempt.IsCompleted && !process.IsHeldAt(point))
            {
                await AgainAsync(process, await attempt, verb);
                attempt = Attempt();
            }

            return process.IsHeldAt(point);
        });
        return attempt;

        // A process that stands still is waited for.
        Task<ProcessResult> Attempt() => process.RunAsync([.. verb, "--yes", "--timeout", "2m"]);
    }

    /// <summary>Makes attempts, as a person would, until one goes through.</summary>
    public Task UntilDoneAsync(MigrationProcess process, params string[] verb) => UntilAsync($"'{string.Join(' ', verb)}' to go through", async () =>
    {
        var attempt = await process.RunAsync([.. verb, "--yes"]);
        await (attempt.ExitCode == 0 ? Task.CompletedTask : AgainAsync(process, attempt, verb));
        return attempt.ExitCode == 0;
    });

    /// <summary>Both logs as their lives are called: of the way forward and of the way back.</summary>
    public async Task<(string? Forward, string? Back)> LogsAsync() => (await LogAsync(Target), await LogAsync(Source));

    /// <summary>Writers go on where they write now, and all that was ever acknowledged is there.</summary>
    public async Task WritersGoOnAsync()
    {
        await Workload.WaitForAcknowledgedAsync(Workload.Ledger.Acknowledged + 20, Cancellation);
        await Workload.PauseAsync(Cancellation);
        var verdict = await Workload.CheckAsync(Workload.Side.ConnectionString, Cancellation);
        Assert.True(verdict.Kept, $"{Workload.Side.Name}: {verdict}");
        Workload.Resume();
    }

    /// <summary>Both sides as their rows say.</summary>
    public async Task<(string? Source, string? Target)> SidesAsync() => (await StateAsync(Source), await StateAsync(Target));

    /// <summary>What a side's journal has of an event, with who did it, in order.</summary>
    public static Task<IReadOnlyList<string>> JournalAsync(TestDatabase side, string happened, string columns = "evidence ->> 'token'") =>
        side.RowsAsync($"select {columns} from cdc_migrator.journal where event = '{happened}' order by id");

    /// <summary>
    /// Looks all the time whether both sides take writes at one moment: the source's row does before and after the target's was read to, and nobody has changed it between. Null where they never did.
    /// </summary>
    public async Task<string?> WatchAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (await RowAsync(Source) is { } open && await RowAsync(Target) is { } other && await RowAsync(Source) == open)
            {
                return $"both sides took writes: {open}, {other}";
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;

        Task<string?> RowAsync(TestDatabase side) =>
            side.ScalarAsync<string>($"select state || ' by ' || token || ' since ' || changed_at from cdc_migrator.fence_state where migration = '{migration}' and state = 'open'");
    }

    /// <summary>Waits for a condition; what the processes wrote last is shown where it does not come.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        while (!await condition())
        {
            Assert.False(limit.IsCancellationRequested, $"waited in vain for {what}\n{last}\n{string.Join('\n', processes.Select(process => process.Tail))}");
            await Task.Delay(Look, TimeProvider.System, Cancellation);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Workload.DisposeAsync();
        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }

        await Source.DisposeAsync();
        await Target.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private Task<string?> LogAsync(TestDatabase into) => into.ScalarAsync<string>($"select incarnation from cdc_migrator.embedded_log where migration = '{migration}'");

    private Task<string?> StateAsync(TestDatabase side) => side.ScalarAsync<string>($"select state from cdc_migrator.fence_state where migration = '{migration}'");

    /// <summary>An attempt was refused, or undone because the machine is slow: each life of the embedded log has offsets of its own, so that what was compared is compared anew.</summary>
    private async Task AgainAsync(MigrationProcess process, ProcessResult refused, string[] verb)
    {
        last = refused.Output + refused.Error;
        await (last.Contains("gate-closed", StringComparison.Ordinal) ? UntilEqualAsync(process, verb[0] == "rollback") : Task.CompletedTask);
    }
}

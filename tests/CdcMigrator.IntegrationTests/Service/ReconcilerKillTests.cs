using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>
/// The reconciler of a whole migration loses its session before or behind each of its writes, and with it all it has in memory: the next one goes on from what is kept,
/// misses no wrong row and calls none wrong that is not.
/// </summary>
public sealed class ReconcilerKillTests(PostgresFixture postgres)
{
    private const string Schema = "create table t(id int primary key, v text)";
    private const string Beat = "update cdc_migrator.verification_beat";
    private const string State = "insert into cdc_migrator.verification_table";
    private const string Row = "insert into cdc_migrator.verification_row";
    private const string Note = "update cdc_migrator.verification_result";

    /// <summary>By name: behind the statement or before it, and the statements.</summary>
    private static readonly (string Name, bool Behind, string[] Statements)[] Cuts =
    [
        ("before a sign of life", false, [Beat]),
        ("behind a sign of life", true, [Beat]),
        ("before a state", false, [State]),
        ("within a state", true, [State]),
        ("within a state's rows", true, [State, Row]),
        ("before a state is committed", false, [State, "COMMIT"]),
        ("behind a state that is committed", true, [State, "COMMIT"]),
        ("before a result", false, [Note]),
        ("behind a result", true, [Note]),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_cut_before_or_behind_any_write_costs_no_finding()
    {
        await using var source = await postgres.CreateSourceAsync(Schema + "; insert into t select i, 'v' || i from generate_series(1, 300) i");
        await using var target = await postgres.CreateTargetAsync(Schema);
        await using var proxy = new CuttingProxy(postgres.Target.Port);
        var through = new NpgsqlConnectionStringBuilder(target.ConnectionString) { Port = proxy.Port }.ConnectionString;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var runtime = new MigrationRuntime(Definition(source.ConnectionString, through), Metrics.NewCustomRegistry(), new HastyTime(), NullLoggerFactory.Instance);
        var running = Task.Run(() => runtime.RunAsync(stop.Token), Token);
        await UntilAsync("all rows", async () => await target.ScalarAsync<long>("select count(*) from t") == 300);
        var store = new VerificationStore(target.DataSource, "cuts");
        var tables = new[] { new TableMapping { Source = TableName.Parse("public.t"), Target = TableName.Parse("public.t") } };
        for (var i = 0; i < Cuts.Length; i++)
        {
            // Each time another row is wrong, one more is changed, and the lease is lost too; but for a sign of life beside a turn that takes long: the turn goes on without it, and claims nothing anew.
            var (name, behind, statements) = Cuts[i];
            await target.ExecuteAsync($"update t set v = 'wrong' where id = {i + 1}; update t set v = 'v' || id where id = {i}");
            if (statements[0] != Beat)
            {
                proxy.CutAt(i % 2 == 0, "pg_try_advisory_lock");
            }

            proxy.CutAt(behind, statements);
            var run = await store.RequestAsync(tables, "test", Token);
            await source.ExecuteAsync($"update t set v = v || '!' where id = {200 + i}");
            VerificationRun? found = null;
            await UntilAsync($"the cut {name} and the end of the run", async () => (found = await store.ReadRunAsync(run, Token)) is { IsRunning: false } && proxy.Done);
            Assert.Equal((name, Verdict.Mismatch, 1L), (name, found!.Verdict, found.Tables.Single().Wrong));

            // The row mended last is equal by its key, whoever looks at it; the one that is wrong stays so.
            TableState state = null!;
            await UntilAsync($"the state behind the cut {name}", async () =>
            {
                state = (await store.ReadTablesAsync(Token)).Single().Value.State;
                return state.Wrong.Count == 1 && state.DirtyKeys == 0 && state.Covered;
            });
            Assert.Equal((name, $"{i + 1}", Verdict.Mismatch), (name, state.Wrong.Keys.Single().Values[0], state.Verdict));
        }

        await target.ExecuteAsync($"update t set v = 'v' || id where id = {Cuts.Length}");
        await UntilAsync("equality", async () => (await store.ReadTablesAsync(Token)).Single().Value.State is { Verdict: Verdict.Equal, Covered: true });
        await stop.CancelAsync();
        await running;
    }

    private static MigrationDefinition Definition(string source, string target) => new()
    {
        Name = "cuts",
        Source = new SourceSection(SourceKind.PostgreSql, source),
        Target = new TargetSection(target),
        Log = new LogSection { Kind = LogKind.Embedded, TopicPrefix = "cuts" },
        Tables = [new TableMapping { Source = TableName.Parse("public.t"), Target = TableName.Parse("public.t") }],
    };

    private static async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        while (!await condition())
        {
            Assert.False(limit.IsCancellationRequested, $"waited in vain for {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        }
    }

    /// <summary>Pauses are a tenth of what they are.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override System.Threading.ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(callback, state, Tenth(dueTime), Tenth(period));

        private static TimeSpan Tenth(TimeSpan pause) => pause == Timeout.InfiniteTimeSpan ? pause : pause / 10;
    }
}

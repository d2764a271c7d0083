using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Databases;
using Confluent.Kafka;
using Npgsql;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>What a whole migration keeps of its verification is what a cutover can wait for, and answers what its file asks.</summary>
public sealed class VerificationProofTests(PostgresFixture postgres)
{
    private const string Schema = "create table busy(id int primary key, v text); create table idle(id int primary key, v text); create table empty(id int primary key, v text)";
    private static readonly TableMapping[] Tables = [.. new[] { "busy", "idle", "empty" }.Select(name => new TableMapping { Source = new TableName("public", name), Target = new TableName("public", name) })];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Verified_offsets_reach_the_logs_ends_though_nothing_else_happens()
    {
        await using var scene = await SceneAsync("offsets");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var runtime = scene.Runtime([]);
        var running = Task.Run(() => runtime.RunAsync(stop.Token), Token);
        await scene.VerifiedAsync();
        var parts = runtime.Verification.Require();
        await AtEndsAsync(0);

        // The last records are tombstones, and behind them nothing comes.
        await scene.Source.ExecuteAsync("update busy set v = 'new' where id <= 20; delete from busy where id > 80; insert into empty values (1, 'first'); delete from empty");
        await AtEndsAsync(40 + 20 + 3);

        // A record that is no change, of a table of which nothing is to be compared.
        using (var producer = new ProducerBuilder<byte[], byte[]?>(new ProducerConfig { BootstrapServers = scene.Log.BootstrapServers }).Build())
        {
            await producer.ProduceAsync(new TopicPartition("offsets.public.idle", 0), new Message<byte[], byte[]?> { Key = "{}"u8.ToArray(), Value = null }, Token);
        }

        await AtEndsAsync(40 + 20 + 3 + 1);

        // A table that was asked for, and that the migration file does not name any more, keeps no comparison from ending.
        var gone = new TableMapping { Source = new TableName("public", "gone"), Target = new TableName("public", "gone") };
        var asked = await scene.Store.RequestAsync([Tables[1], gone], "test", Token);
        VerificationRun run = null!;
        await UntilAsync(async () => !(run = (await scene.Store.ReadRunAsync(asked, Token))!).IsRunning, () => string.Join(", ", run.Tables.Select(table => $"{table.Source} {table.Verdict}")));
        Assert.Equal([(gone.Source, Verdict.Unverified), (Tables[1].Source, Verdict.Equal)], run.Tables.Select(table => (table.Source, table.Verdict!.Value)));
        await stop.CancelAsync();
        await running;

        async Task AtEndsAsync(int records)
        {
            IReadOnlyDictionary<LaneId, long> ends = new Dictionary<LaneId, long>();
            IReadOnlyDictionary<TableName, (TableState State, string Shape)> states = null!;
            await UntilAsync(
                async () =>
                {
                    ends = (await parts.Inspector.ReadTopicRangesAsync([.. Tables.Select(table => parts.TopicOf(table.Source))], Token)).ToDictionary(range => range.Key, range => range.Value.End);
                    states = await scene.Store.ReadTablesAsync(Token);
                    return ends.Values.Sum() >= 200 + records && states.Values.All(table => table.State is { Verdict: Verdict.Equal, Covered: true, DirtyKeys: 0 })
                        && ends.All(end => states.Any(table => parts.TopicOf(table.Key) == end.Key.Topic && table.Value.State.VerifiedOffsets.GetValueOrDefault(end.Key.Partition, -1) == end.Value));
                },
                () => $"verified offsets at the ends {string.Join(", ", ends)}: {string.Join(", ", states.Select(table => $"{table.Key} {table.Value.State.Verdict} {string.Join(' ', table.Value.State.VerifiedOffsets)}"))}");
        }
    }

    [Fact]
    public async Task A_rule_that_was_tightened_is_asked_by_the_next_process_at_once_whatever_the_last_one_found()
    {
        await using var scene = await SceneAsync("tightened");
        var rule = new BusinessRule("rows", "select count(*) from busy", "select count(*) + 1 from busy", 1);
        var reports = await RunAsync(rule, report => report.State == CheckState.Pass, scene.VerifiedAsync);
        var before = reports.Single(report => report.Kind == CheckKind.Rules);
        Assert.Equal(CheckState.InFlight, before.Against(new Dictionary<string, string> { ["rows"] = "another" }).State);

        // No comparison is asked for, and the interval is not over.
        await RunAsync(rule with { Tolerance = 0 }, report => report.State == CheckState.Fail && report.Run == before.Run, () => Task.CompletedTask);

        async Task<IReadOnlyList<CheckReport>> RunAsync(BusinessRule asked, Predicate<CheckReport> found, Func<Task> begun)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
            await using var runtime = scene.Runtime([asked]);
            var running = Task.Run(() => runtime.RunAsync(stop.Token), Token);
            await begun();
            IReadOnlyList<CheckReport> all = [];
            var store = new CheckStore(scene.Target.DataSource, scene.Name);
            await UntilAsync(async () => (all = await store.ReadAsync(Token)).Any(report => report.Kind == CheckKind.Rules && found(report)), () => string.Join(", ", all.Select(report => $"{report.Kind} {report.State}")));
            await stop.CancelAsync();
            await running;
            return all;
        }
    }

    [Fact]
    public async Task While_a_table_is_waited_for_signs_of_life_go_on()
    {
        const string waiting = "select coalesce(string_agg(pid || ' since ' || query_start, ', ' order by pid), '') from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike 'lock table%'";
        await using var scene = await SceneAsync("slow");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var runtime = scene.Runtime([]);
        var running = Task.Run(() => runtime.RunAsync(stop.Token), Token);
        await scene.VerifiedAsync();
        await using (var session = await scene.Source.DataSource.OpenConnectionAsync(Token))
        await using (var transaction = await session.BeginTransactionAsync(Token))
        {
            await using (var block = new NpgsqlCommand("lock table idle in access exclusive mode", session))
            {
                await block.ExecuteNonQueryAsync(Token);
            }

            // The comparison waits for the table, and the check beside it.
            await scene.Store.RequestAsync(Tables, "test", Token);
            var who = "";
            await UntilAsync(async () => (who = (await scene.Source.RowsAsync(waiting))[0]).Contains(',', StringComparison.Ordinal), () => who);
            var at = (await scene.Store.ReadBeatAsync(Token))!.At;
            await UntilAsync(async () => (await scene.Store.ReadBeatAsync(Token))!.At > at + TimeSpan.FromSeconds(2), () => "a sign of life");
            Assert.Equal(who, (await scene.Source.RowsAsync(waiting))[0]);
        }

        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task No_sign_of_life_stands_beside_findings_that_count_no_more()
    {
        await using var scene = await SceneAsync("signs");
        await RunAsync(scene.VerifiedAsync);
        await scene.Target.ExecuteAsync("""
            create table seen(covered bigint);
            create function note() returns trigger language plpgsql as $$ begin
                insert into public.seen select count(*) from cdc_migrator.verification_table where migration = new.migration and covered; return null; end $$;
            create trigger note after update on cdc_migrator.verification_beat for each row when (new.behind >= 0) execute function public.note();
            """);

        // The next life of the embedded log: nothing that was verified in the last one counts.
        await RunAsync(() => UntilAsync(() => scene.Target.ScalarAsync<bool>("select count(*) > 1 from seen"), () => "a sign of life"));
        Assert.Equal(0, await scene.Target.ScalarAsync<long>("select max(covered) from seen"));

        async Task RunAsync(Func<Task> until)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
            await using var runtime = scene.Runtime([]);
            var running = Task.Run(() => runtime.RunAsync(stop.Token), Token);
            await until();
            await stop.CancelAsync();
            await running;
        }
    }

    private async Task<Scene> SceneAsync(string name)
    {
        var source = await postgres.CreateSourceAsync(Schema + "; insert into busy select i, 'v' || i from generate_series(1, 100) i; insert into idle select i, 'v' || i from generate_series(1, 100) i");
        return new Scene(name, source, await postgres.CreateTargetAsync(Schema));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, Func<string> what)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        while (!await condition())
        {
            Assert.False(limit.IsCancellationRequested, $"waited in vain: {what()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        }
    }

    private sealed record Scene(string Name, TestDatabase Source, TestDatabase Target) : IAsyncDisposable
    {
        public AddressLog Log { get; } = new();

        public VerificationStore Store { get; } = new(Target.DataSource, Name);

        public MigrationRuntime Runtime(IReadOnlyList<BusinessRule> rules) => new(
            new MigrationDefinition
            {
                Name = Name,
                Source = new SourceSection(SourceKind.PostgreSql, Source.ConnectionString),
                Target = new TargetSection(Target.ConnectionString),
                Log = new LogSection { Kind = LogKind.Embedded, TopicPrefix = Name },
                Tables = Tables,
                Rules = rules,
            },
            Metrics.NewCustomRegistry(), TimeProvider.System, new LoggerFactory([Log]));

        /// <summary>All tables were compared, once, and are equal.</summary>
        public async Task VerifiedAsync()
        {
            await UntilAsync(async () => await Target.ScalarAsync<bool>("select to_regclass('cdc_migrator.verification_run') is not null") && await Target.ScalarAsync<long>("select count(*) from busy, idle") == 10_000, () => "all rows");
            await Store.RequestAsync(Tables, "test", Token);
            IReadOnlyDictionary<TableName, (TableState State, string Shape)> states = null!;
            await UntilAsync(
                async () => (states = await Store.ReadTablesAsync(Token)).Count == 3 && states.Values.All(table => table.State is { Verdict: Verdict.Equal, Covered: true }),
                () => string.Join(", ", states.Values.Select(table => $"{table.State.Table} {table.State.Verdict} {table.State.Reason}")));
        }

        public async ValueTask DisposeAsync()
        {
            await Source.DisposeAsync();
            await Target.DisposeAsync();
        }
    }

    /// <summary>Where the embedded log is: it says so when it starts.</summary>
    private sealed class AddressLog : ILoggerProvider, ILogger
    {
        public string BootstrapServers { get; private set; } = "";

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            BootstrapServers = (state as IReadOnlyList<KeyValuePair<string, object?>>)?.FirstOrDefault(pair => pair.Key == "BootstrapServers").Value as string ?? BootstrapServers;

        public void Dispose()
        {
        }
    }
}

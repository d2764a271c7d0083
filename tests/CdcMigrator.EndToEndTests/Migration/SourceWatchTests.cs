using System.Globalization;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Service.Connectors;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Kit;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>What no record tells, with real Debezium: drift, a connector that only says it runs, a slot that was made again.</summary>
[Collection(typeof(SteadyKit))]
public sealed class SourceWatchTests(KitFixture kit)
{
    private static readonly TableName Table = new("public", "t");
    private static readonly TableName Later = new("public", "later");

    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.Avro)]
    public async Task Columns_added_renamed_and_dropped_in_one_transaction_halt_with_the_statements_and_resume(MigrationFormat format)
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(kit, $"drift-{format}".ToLowerInvariant(), format, "create table t(id int primary key, email text, gone text, v int)", token, Table);
        await scene.SourceAsync("insert into t values (1, 'a', 'x', 1)");
        await scene.TargetShowsAsync("1|a|x|1", token);

        await scene.SourceAsync("""
            begin; insert into t values (2, 'b', 'x', 2);
            alter table t rename column email to mail; insert into t(id, mail, gone, v) values (3, 'c', 'x', 3);
            alter table t add column late int default 7; insert into t(id, mail, gone, v) values (4, 'd', 'x', 4);
            alter table t drop column gone; update t set v = 11 where id = 1; commit;
            """);
        await scene.UntilAsync("both statements", status => status.Faults.Any(fault => fault.Code == "unknown-column" && fault.Fix.Contains("RENAME COLUMN \"email\" TO \"mail\"", StringComparison.Ordinal)
            && fault.Fix.Contains("ADD COLUMN \"late\" integer DEFAULT 7", StringComparison.Ordinal)), token);
        Assert.Contains(scene.Runtime.Status().Findings, finding => finding is { Code: "column-dropped", Column: "gone" });

        // Late first: the lane must still stand in front of the rename.
        await scene.TargetAsync("alter table t add column late int default 7; alter table t rename column email to mail");
        await scene.UntilAsync("the lanes to go on", status => status.Faults.Count == 0, token);
        await scene.TargetShowsAsync("1|a|x|11|7 2|b|x|2|7 3|c|x|3|7 4|d|x|4|7", token);
        await scene.TargetAsync("alter table t drop column gone");
        await scene.UntilAsync("nothing to be found any more", status => status.Findings.Count == 0, token);
    }

    [Fact]
    public async Task A_connector_that_says_it_runs_and_retries_for_ever_is_named()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(kit, "stalled", MigrationFormat.Json, "create table t(id int primary key, v interval)", token, Table);
        await scene.SourceAsync("insert into t values (1, '1 day')");
        await scene.TargetShowsAsync("1|\"1 day\"", token);
        Assert.DoesNotContain(scene.Runtime.Status().Faults, fault => fault.Code == "connector-stalled");

        await scene.SourceAsync("insert into t values (2, make_interval(secs => 9e12))");
        await scene.UntilAsync("the connector to be named", status => status.Faults.Any(fault => fault.Code == "connector-stalled"), token);

        using var connect = new ConnectClient(kit.ConnectUrl);
        Assert.True((await connect.GetStatusAsync("stalled-source", token)).IsRunning);
        var fault = scene.Runtime.Status().Faults.Single(fault => fault.Code == "connector-stalled");
        Assert.Contains("Connector stalled-source says RUNNING but has made no progress for", fault.Message, StringComparison.Ordinal);
        Assert.Contains("slot cdcm_stalled stands at", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Retry … of unlimited retries", fault.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_that_has_failed_is_restarted_by_itself_and_nothing_is_lost()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(kit, "restarted", MigrationFormat.Json, "create table t(id int primary key, v text)", token, Table);
        await FailTaskAsync(scene, "restarted", "by itself", token);
        await scene.UntilEqualAsync(token);
        await scene.UntilAsync("nothing to be wrong", status => status.Faults.Count == 0, token);
    }

    [Fact]
    public async Task A_task_that_the_service_does_not_restart_is_restarted_by_registering_the_connector()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(kit, "registered", MigrationFormat.Json, "create table t(id int primary key, v text)", maxRestarts: 0, token, Table);
        await FailTaskAsync(scene, "registered", "has failed", token);
        Assert.DoesNotContain("by itself", scene.Runtime.Status().Faults.Single(fault => fault.Code == "connector-failed").Message, StringComparison.Ordinal);
        var status = await ConnectorRegistration.RunAsync(scene.Definition, new ConnectorTemplateOptions(), TimeSpan.FromMinutes(1), _ => { }, token);
        Assert.True(status.IsRunning, status.Cause);
        await scene.UntilEqualAsync(token);
    }

    /// <summary>The broker takes no record of the table's size, which ends the task, until that is told; then it takes them again.</summary>
    private async Task FailTaskAsync(Scene scene, string topicPrefix, string told, CancellationToken token)
    {
        await scene.SourceAsync("insert into t values (0, 'before')");
        await scene.TargetShowsAsync("0|before", token);
        await LimitRecordsAsync($"{topicPrefix}.{Table}", 1000);
        var id = 0;
        await scene.WaitAsync("the task to be told failed", async () =>
        {
            if (scene.Runtime.Status().Faults.Any(fault => fault.Code == "connector-failed" && fault.Message.Contains(told, StringComparison.Ordinal)))
            {
                return true;
            }

            await scene.SourceAsync($"insert into t select {++id}, string_agg(md5(g::text), '') from generate_series(1, 2000) g");
            return false;
        }, token);
        await LimitRecordsAsync($"{topicPrefix}.{Table}", 64 << 20);
    }

    private async Task LimitRecordsAsync(string topic, int bytes)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kit.BootstrapServers }).Build();
        var limit = new ConfigEntry { Name = "max.message.bytes", Value = bytes.ToString(CultureInfo.InvariantCulture), IncrementalOperation = AlterConfigOpType.Set };
        await admin.IncrementalAlterConfigsAsync(new Dictionary<ConfigResource, List<ConfigEntry>> { [new ConfigResource { Type = ResourceType.Topic, Name = topic }] = [limit] });
    }

    [Fact]
    public async Task A_slot_made_again_while_the_connector_was_stopped_is_noticed()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(kit, "again", MigrationFormat.Json,
            "create table t(id int primary key, v text); insert into t select g, 'old' from generate_series(1, 20000) g; create table later(id int primary key)", token, Table, Later);
        await scene.UntilAsync("the snapshot", status => status.Snapshot == "done" && scene.Runtime.SnapshotRows(Table) >= 20000, token);
        await scene.UntilPulseAsync(token);
        using var connect = new ConnectClient(kit.ConnectUrl);

        // A paused connector goes on reading its slot; a stopped one does not.
        using (var http = new HttpClient { BaseAddress = kit.ConnectUrl })
        {
            (await http.PutAsync(new Uri("connectors/again-source/stop", UriKind.Relative), null, token)).EnsureSuccessStatusCode();
        }

        await scene.UntilSlotAsync(active: false, token);
        await scene.UntilPulseOpenAsync(token);

        await scene.SourceAsync("insert into t values (20001, 'lost'); update t set v = 'lost' where id = 7; delete from t where id = 8; insert into later values (1)");
        await scene.SourceAsync("select pg_drop_replication_slot('cdcm_again'); select pg_create_logical_replication_slot('cdcm_again', 'pgoutput')");
        await connect.ResumeAsync("again-source", token);
        await scene.UntilAsync("the loss to be noticed", status => status.Faults.Any(fault => fault is { Code: "slot-recreated" }), token);
    }

    private sealed class Scene : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private MigrationStack stack = null!;
        private MigrationFormat format;
        private Task run = Task.CompletedTask;

        public MigrationRuntime Runtime { get; private set; } = null!;

        /// <summary>The migration as the service has it.</summary>
        public MigrationDefinition Definition { get; private set; } = null!;

        public static Task<Scene> StartAsync(KitFixture kit, string name, MigrationFormat format, string schema, CancellationToken token, params TableName[] tables) =>
            StartAsync(kit, name, format, schema, maxRestarts: 7, token, tables);

        public static async Task<Scene> StartAsync(KitFixture kit, string name, MigrationFormat format, string schema, int maxRestarts, CancellationToken token, params TableName[] tables)
        {
            var stack = await MigrationStack.StartAsync(kit, name, schema, [Table, .. tables.Skip(1)], _ => Task.CompletedTask);
            var scene = new Scene { stack = stack, format = format };
            await scene.TargetAsync("do $$ declare t text; begin for t in select tablename from pg_tables where schemaname = 'public' loop execute format('truncate %I', t); end loop; end $$");
            await scene.RunAsync(tables, maxRestarts, token);
            return scene;
        }

        public Task SourceAsync(string sql) => ExecuteAsync(stack.Source, sql);

        public Task TargetAsync(string sql) => ExecuteAsync(stack.Target, sql);

        public Task WaitAsync(string what, Func<Task<bool>> condition, CancellationToken token) => stack.WaitAsync(
            $"{what}: {string.Join("; ", Runtime.Status().Faults)} {string.Join("; ", Runtime.Status().Findings)}", condition, token);

        public Task UntilAsync(string what, Func<RuntimeStatus, bool> condition, CancellationToken token) =>
            WaitAsync(what, () => run.IsFaulted ? throw run.Exception! : Task.FromResult(condition(Runtime.Status())), token);

        public Task TargetShowsAsync(string rows, CancellationToken token) => WaitAsync($"the target to show {rows}", async () => await RowsAsync(stack.Target, "t") == rows, token);

        public Task UntilEqualAsync(CancellationToken token) => WaitAsync("the target to be equal", async () => await RowsAsync(stack.Target, "t") == await RowsAsync(stack.Source, "t"), token);

        public Task UntilSlotAsync(bool active, CancellationToken token) => WaitAsync($"the slot to be {(active ? "read" : "left")}", async () =>
            await ScalarAsync(stack.Source, $"select active from pg_replication_slots where slot_name = '{stack.Slot}'") is bool now && now == active, token);

        /// <summary>A pulse was met: from here on a lost one is noticed.</summary>
        public Task UntilPulseAsync(CancellationToken token) => WaitAsync("a pulse to be met", async () =>
            await ScalarAsync(stack.Target, "select seen > 0 from cdc_migrator.source_slot") is true, token);

        /// <summary>A pulse was written that nobody has met.</summary>
        public Task UntilPulseOpenAsync(CancellationToken token) => WaitAsync("a pulse to be under way", async () =>
            await ScalarAsync(stack.Target, "select pulse > seen and pulse_lsn is not null from cdc_migrator.source_slot") is true, token);

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await run.ContinueWith(static _ => { }, TaskScheduler.Default);
            await Runtime.DisposeAsync();
            await stack.DisposeAsync();
            stop.Dispose();
        }

        private async Task RunAsync(TableName[] tables, int maxRestarts, CancellationToken token)
        {
            var definition = stack.Definition(format);
            Definition = definition = definition with
            {
                Tables = [.. tables.Select(table => new TableMapping { Source = table, Target = table })],
                Connect = definition.Connect! with { StalledAfter = TimeSpan.FromSeconds(15), MaxRestarts = maxRestarts },
            };
            await using (var control = PostgresConnections.CreateControl(stack.SourceConnection))
            {
                await ControlSchema.PrepareSourceAsync(control, token);
            }

            using var connect = new ConnectClient(definition.Connect!.Url);
            await connect.PutConfigAsync(definition.Connect.Connector, ConnectorTemplate.Render(definition), token);
            Runtime = new MigrationRuntime(definition, Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
            run = Task.Run(() => Runtime.RunAsync(stop.Token), token);
            await UntilAsync("the pipeline to run", status => status.Phase == RuntimePhase.Running, token);
        }

        private static async Task<string> RowsAsync(NpgsqlDataSource database, string table) =>
            await ScalarAsync(database, $"select coalesce(string_agg(replace(trim(both '()' from t::text), ',', '|'), ' ' order by id), '') from {table} t") as string ?? "";

        private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql)
        {
            await using var command = database.CreateCommand(sql);
            return await command.ExecuteScalarAsync();
        }

        private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
        {
            await using var command = database.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
    }
}

using CdcMigrator.Connect;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Digests;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Workloads;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>The composed migration over the embedded log: source PostgreSQL, slot, in-process broker, lanes, target PostgreSQL.</summary>
public sealed class EmbeddedMigrationTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_shop_under_load_is_equal_after_the_drain_and_loses_no_acknowledged_write()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(ShopSchema.Sql);
        await using var target = await postgres.CreateTargetAsync(ShopSchema.Sql);
        await ShopSchema.LoadAsync(source.ConnectionString, 2000, cancellationToken);
        await using var workload = ShopWorkload.Start(new WriteSide("source", source.ConnectionString), new ShopWorkloadOptions { Rate = 100, Writers = 3 });
        await using var running = Running.Start(Definition("embedded_shop", source, target));

        await workload.WaitForAcknowledgedAsync(300, cancellationToken);
        await running.UntilAsync(status => status.Phase == RuntimePhase.Running, cancellationToken);
        await workload.StopAsync(cancellationToken);
        var marker = await FenceTable.WriteMarkerAsync(source.DataSource, cancellationToken);
        var report = await running.Runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromMinutes(2), cancellationToken);

        Assert.True(report.Drained, $"waiting for {report.WaitingFor}: {string.Join(", ", running.Runtime.Status().Faults)}");
        await ShouldBeEqualAsync(source, target, workload, cancellationToken);
    }

    [Fact]
    public async Task Services_that_vanish_in_mid_stream_lose_nothing()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(ShopSchema.Sql);
        await using var target = await postgres.CreateTargetAsync(ShopSchema.Sql);
        await ShopSchema.LoadAsync(source.ConnectionString, 1000, cancellationToken);
        var definition = Definition("embedded_restarts", source, target);
        await using var workload = ShopWorkload.Start(new WriteSide("source", source.ConnectionString), new ShopWorkloadOptions { Rate = 100, Writers = 3 });
        for (var life = 0; life < 3; life++)
        {
            await using var running = Running.Start(definition);
            await running.UntilAsync(status => status.Phase == RuntimePhase.Running, cancellationToken);
            await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + 100, cancellationToken);
        }

        await using var last = Running.Start(definition);
        await last.UntilAsync(status => status.Phase == RuntimePhase.Running, cancellationToken);
        await workload.StopAsync(cancellationToken);
        var marker = await FenceTable.WriteMarkerAsync(source.DataSource, cancellationToken);
        var report = await last.Runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromMinutes(2), cancellationToken);

        Assert.True(report.Drained, $"waiting for {report.WaitingFor}: {string.Join(", ", last.Runtime.Status().Faults)}");
        await ShouldBeEqualAsync(source, target, workload, cancellationToken);
    }

    [Fact]
    public async Task A_missing_target_table_is_waited_for_by_name_and_the_migration_begins_when_it_is_there()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync("create table t(id int primary key, v text); insert into t values (1, 'one')");
        await using var target = await postgres.CreateTargetAsync();
        await using var running = Running.Start(Definition("late_table", source, target, new TableName("public", "t")));
        await running.UntilAsync(status => status.Faults.Any(fault => fault.Code == "missing-table" && fault.ToString().Contains("public.t", StringComparison.Ordinal)), cancellationToken);

        await target.ExecuteAsync("create table t(id int primary key, v text)");

        await running.UntilAsync(status => status.Phase == RuntimePhase.Running && status.Faults.Count == 0, cancellationToken);
        while (!(await target.RowsAsync("select * from t")).SequenceEqual(["1|one"]))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    [Fact]
    public async Task A_column_the_target_lacks_halts_by_name_and_resumes_by_itself()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync("create table t(id int primary key, v text)");
        await using var target = await postgres.CreateTargetAsync("create table t(id int primary key, v text)");
        await using var running = Running.Start(Definition("drift", source, target, new TableName("public", "t")));
        await running.UntilAsync(status => status.Phase == RuntimePhase.Running, cancellationToken);
        await source.ExecuteAsync("alter table t add column late int; insert into t values (1, 'one', 7)");
        await running.UntilAsync(status => status.Faults.Any(fault => fault.Code == "unknown-column" && fault.ToString().Contains("late", StringComparison.Ordinal)), cancellationToken);
        Assert.Empty(await target.RowsAsync("select * from t"));

        await target.ExecuteAsync("alter table t add column late int");

        while (!(await target.RowsAsync("select * from t")).SequenceEqual(["1|one|7"]))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    [Fact]
    public async Task A_runtime_that_ended_by_a_fault_begins_again_where_the_databases_say_once_it_was_seen_to()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync("create table t(id int primary key, v text); insert into t values (1, 'one')");
        await using var target = await postgres.CreateTargetAsync("create table t(id int primary key, v text)");
        var definition = Definition("again", source, target, new TableName("public", "t"));
        var slot = ConnectorNames.Slot(definition.LogName);
        await source.ExecuteAsync($"select pg_create_logical_replication_slot('{slot}', 'pgoutput')");
        await using var runtime = new MigrationRuntime(definition, Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            Assert.Equal("slot-exists", (await Assert.ThrowsAsync<FaultException>(() => runtime.RunAsync(cancellationToken))).Fault.Code);
            Assert.Equal(RuntimePhase.Stopped, runtime.Status().Phase);
        }

        await source.ExecuteAsync($"select pg_drop_replication_slot('{slot}')");
        foreach (var (id, rows) in new[] { (2, new[] { "1|one", "2|new" }), (3, ["1|one", "2|new", "3|new"]) })
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var running = Task.Run(() => runtime.RunAsync(stop.Token), cancellationToken);
            await source.ExecuteAsync($"insert into t values ({id}, 'new')");
            while (!(await target.RowsAsync("select * from t order by id")).SequenceEqual(rows))
            {
                Assert.False(running.IsCompleted, "the runtime ended");
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
            }

            await stop.CancelAsync();
            await running;
        }
    }

    [Fact]
    public async Task A_closed_port_is_waited_for_and_shown()
    {
        await using var source = await postgres.CreateSourceAsync("create table t(id int primary key)");
        await using var target = await postgres.CreateTargetAsync("create table t(id int primary key)");
        var definition = Definition("closed", source, target, new TableName("public", "t")) with { Target = new TargetSection("Host=127.0.0.1;Port=1;Username=postgres;Database=x;Timeout=2") };
        await using var running = Running.Start(definition);
        await running.UntilAsync(status => status.Faults.Any(fault => fault.Kind == FaultKind.Unreachable), TestContext.Current.CancellationToken);
        Assert.Equal(RuntimePhase.Starting, running.Runtime.Status().Phase);
    }

    [Fact]
    public async Task Odd_names_and_values_arrive_as_they_are()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(OddTables.SourceSchema);
        await using var target = await postgres.CreateTargetAsync(OddTables.TargetSchema);
        await source.ExecuteAsync(OddTables.Insert(1) + OddTables.Insert(2));
        await using var running = Running.Start(Definition("odd", source, target) with { Tables = OddTables.Mappings });
        await running.UntilAsync(status => status is { Phase: RuntimePhase.Running, Log.Phase: EmbeddedLogPhase.Streaming }, cancellationToken);
        await source.ExecuteAsync(OddTables.Insert(3));
        await source.ExecuteAsync(OddTables.Insert(4));
        foreach (var n in Enumerable.Range(1, 3))
        {
            await source.ExecuteAsync(OddTables.Change(n));
        }

        var marker = await FenceTable.WriteMarkerAsync(source.DataSource, cancellationToken);
        var report = await running.Runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromMinutes(1), cancellationToken);
        Assert.True(report.Drained, $"waiting for {report.WaitingFor}: {string.Join(", ", running.Runtime.Status().Faults)}");
        var routes = await TargetCatalog.LoadAsync(target.DataSource, OddTables.Mappings, cancellationToken);
        foreach (var route in routes.All)
        {
            var result = await new TableComparison(source.DataSource, target.DataSource).CompareAsync(route, 5, cancellationToken);
            Assert.True(result.Equal, $"{route}: {result.RowsSource} against {result.RowsTarget}, {string.Join("; ", result.Differences.Select(row => $"{row.Kind} {string.Join('/', row.Key.Values)} {string.Join(',', row.Columns)}"))}");
            Assert.NotEqual(0, result.RowsSource);
        }

        Assert.Equal(["7"], await target.RowsAsync(""""select distinct added from "Odd ""Schema"" ö"."new.name" """"));
        Assert.Equal(
            await source.RowsAsync(""""select "Key One", "always ""made""" from "Odd ""Schema"" ö"."Select, ""From"" wo.w" order by 1, 2""""),
            await target.RowsAsync(""""select "Key One", "always ""made""" from "Odd ""Schema"" ö"."Select, ""From"" wo.w" order by 1, 2""""));
    }

    [Fact]
    public async Task Truncates_rows_without_a_key_and_partitions_on_either_side_end_equal_however_often_the_service_starts()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(OrderedTables.SourceSchema);
        await using var target = await postgres.CreateTargetAsync(OrderedTables.TargetSchema);
        await source.ExecuteAsync(OrderedTables.Seed);
        var definition = Definition("ordered", source, target) with { Tables = OrderedTables.Mappings };
        using var writing = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 2).Select(seed => Task.Run(() => OrderedTables.WriteAsync(source.ConnectionString, seed, writing.Token))).ToList();
        for (var life = 0; life < 3; life++)
        {
            await using var running = Running.Start(definition);
            await running.UntilAsync(status => status is { Phase: RuntimePhase.Running, Log.Phase: EmbeddedLogPhase.Streaming }, cancellationToken);
            await OrderedTables.CopyAsync(source.ConnectionString, 300);
            while (await target.ScalarAsync<long>("select count(*) from bag where n = 7") < 300 * (life + 1))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
            }
        }

        await using var last = Running.Start(definition);
        await writing.CancelAsync();
        await Task.WhenAll(writers);
        await last.UntilAsync(status => status.Phase == RuntimePhase.Running, cancellationToken);
        var marker = await FenceTable.WriteMarkerAsync(source.DataSource, cancellationToken);
        var report = await last.Runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromMinutes(2), cancellationToken);

        Assert.True(report.Drained, $"waiting for {report.WaitingFor}: {string.Join(", ", last.Runtime.Status().Faults)}");
        var routes = await TargetCatalog.LoadAsync(target.DataSource, OrderedTables.Mappings, cancellationToken);
        foreach (var route in routes.All)
        {
            var result = await new TableComparison(source.DataSource, target.DataSource).CompareAsync(route, 5, cancellationToken);
            Assert.True(result.Equal, $"{route}: {result.RowsSource} against {result.RowsTarget}, {string.Join("; ", result.Differences.Select(row => $"{row.Kind} {string.Join('/', row.Key.Values)}"))}");
        }
    }

    private static MigrationDefinition Definition(string name, TestDatabase source, TestDatabase target, params TableName[] tables) => new()
    {
        Name = name,
        Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
        Target = new TargetSection(target.ConnectionString),
        Log = new LogSection { Kind = LogKind.Embedded, TopicPrefix = name },
        Tables = [.. (tables.Length > 0 ? tables : ShopSchema.Tables).Select(table => new TableMapping { Source = table, Target = table })],
    };

    private static async Task ShouldBeEqualAsync(TestDatabase source, TestDatabase target, ShopWorkload workload, CancellationToken cancellationToken)
    {
        var verdict = await workload.CheckAsync(target.ConnectionString, cancellationToken);
        Assert.True(verdict.Kept, verdict.ToString());
        var routes = await TargetCatalog.LoadAsync(target.DataSource, [.. ShopSchema.Tables.Select(table => new TableMapping { Source = table, Target = table })], cancellationToken);
        foreach (var route in routes.All)
        {
            var result = await new TableComparison(source.DataSource, target.DataSource).CompareAsync(route, 5, cancellationToken);
            Assert.True(result.Equal, $"{route}: {result.RowsSource} against {result.RowsTarget}, {string.Join("; ", result.Differences.Select(row => $"{row.Kind} {string.Join('/', row.Key.Values)} {string.Join(',', row.Columns)}"))}");
        }
    }

    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task run;

        private Running(MigrationDefinition definition)
        {
            Runtime = new MigrationRuntime(definition, Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
            run = Task.Run(() => Runtime.RunAsync(stop.Token));
        }

        public MigrationRuntime Runtime { get; }

        public static Running Start(MigrationDefinition definition) => new(definition);

        public async Task UntilAsync(Func<RuntimeStatus, bool> condition, CancellationToken cancellationToken)
        {
            while (!condition(Runtime.Status()))
            {
                if (run.IsCompleted)
                {
                    await run;
                    Assert.Fail("the runtime ended");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await run;
            await Runtime.DisposeAsync();
            stop.Dispose();
        }
    }
}

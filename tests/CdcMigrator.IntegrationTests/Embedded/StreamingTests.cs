using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Embedded;
using CdcMigrator.Embedded.Publishing;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.Postgres;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Embedded;

public sealed class StreamingTests(PostgresFixture postgres)
{
    private const string Schema = "create table t(id int primary key, v text); create table uncaptured(id int)";

    [Fact]
    public async Task Slot_is_confirmed_only_up_to_what_the_target_has_committed()
    {
        await using var scene = await StreamingAsync();
        await scene.Source.ExecuteAsync("insert into t values (1, 'applied')");
        await scene.UntilConfirmedAsync();
        scene.Lanes.Applying = false;
        await scene.Source.ExecuteAsync("insert into t values (2, 'waiting')");
        await scene.Source.ExecuteAsync("insert into uncaptured values (1)");
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 2 && scene.Log.Status.UnappliedRecords == 1);
        await Task.Delay(1500);
        Assert.True(await scene.Source.ScalarAsync<bool>(
            $"select confirmed_flush_lsn - '0/0' <= {scene.Seen("public.t")[1].Position.Commit} from pg_replication_slots where slot_name = '{scene.Slot}'"));
        scene.Lanes.Applying = true;
        await scene.UntilConfirmedAsync();
    }

    [Fact]
    public async Task Marker_on_an_idle_source_is_confirmed_and_published()
    {
        await using var scene = await StreamingAsync();
        await scene.Source.ExecuteAsync("insert into cdc_migrator.fence values ('marker:1', 'L')");
        await scene.UntilConfirmedAsync();
        var record = Assert.Single(scene.Seen("cdc_migrator.fence"));
        Assert.Equal("""{"id":"marker:1","v":"L"}""", record.After);
    }

    [Fact]
    public async Task Slot_moves_while_only_uncaptured_tables_are_written()
    {
        await using var scene = await StreamingAsync();
        for (var i = 0; i < 5; i++)
        {
            await scene.Source.ExecuteAsync($"insert into uncaptured select generate_series(1, 1000)");
            await scene.UntilConfirmedAsync();
        }

        Assert.Empty(scene.Seen("public.t"));
    }

    [Fact]
    public async Task Lanes_that_do_not_apply_stop_the_publisher_below_the_limit_and_the_walsender_stays()
    {
        await using var server = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Settings = new Dictionary<string, string> { ["wal_sender_timeout"] = "3s" } });
        await using var scene = await OwnServerAsync(server);
        scene.Lanes.Applying = false;
        await scene.Source.ExecuteAsync("insert into t select g, repeat('x', 10000) from generate_series(1, 4000) g");
        await scene.UntilAsync(() => scene.Log.Status.UnappliedBytes > FlowControl.LaneLimit - 100_000);
        var pid = await scene.Source.ScalarAsync<int>("select active_pid from pg_replication_slots");

        // One lane at its limit stops the publisher only when that lane's turn comes: rest is two equal looks.
        var stuck = -1L;
        await scene.UntilAsync(async () =>
        {
            var before = stuck;
            await Task.Delay(TimeSpan.FromSeconds(1));
            stuck = scene.Log.Status.UnappliedRecords;
            return stuck == before;
        });
        await Task.Delay(TimeSpan.FromSeconds(8));
        Assert.Equal(stuck, scene.Log.Status.UnappliedRecords);
        Assert.True(scene.Log.Status.UnappliedBytes <= 4L * FlowControl.LaneLimit);
        Assert.Equal(pid, await scene.Source.ScalarAsync<int>("select active_pid from pg_replication_slots"));
        Assert.Null(scene.Log.Status.Fault);
        scene.Lanes.Applying = true;
        await scene.UntilAsync(() => scene.Lanes.RowsOf("p.public.t").Count == 4000);
        await scene.UntilConfirmedAsync();
    }

    [Fact]
    public async Task Every_change_arrives_though_the_log_is_stopped_and_started_in_the_middle()
    {
        await using var scene = await StreamingAsync();
        using var writing = new CancellationTokenSource();
        var written = 0;
        var writer = Task.Run(async () =>
        {
            while (!writing.IsCancellationRequested)
            {
                await scene.Source.ExecuteAsync($"insert into t select {written} * 10 + g, 'x' from generate_series(0, 9) g");
                written++;
            }
        });
        var random = new Random(7);
        for (var i = 0; i < 6; i++)
        {
            scene.Lanes.Budget = random.Next(50, 400);
            await Task.Delay(random.Next(50, 500));
            await scene.RestartAsync();
        }

        await writing.CancelAsync();
        await writer;
        scene.Lanes.Budget = -1;
        await scene.UntilConfirmedAsync();
        Assert.Equal(written * 10, scene.Lanes.RowsOf("p.public.t").Count);
        Assert.True(scene.Lanes.Replays >= 0);
    }

    [Fact]
    public async Task Change_of_an_unconfirmed_transaction_is_delivered_again_at_the_same_position_and_partition()
    {
        await using var scene = await StreamingAsync();
        scene.Lanes.Applying = false;
        await scene.Source.ExecuteAsync("insert into t select g, 'x' from generate_series(1, 20) g");
        await scene.Source.ExecuteAsync("update t set v = 'y'");
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 40);
        var first = scene.Seen("public.t").Select(record => (record.Key, record.Op, record.Partition, record.Position)).Order().ToList();
        await scene.RestartAsync();
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 40);
        Assert.Equal(first, scene.Seen("public.t").Select(record => (record.Key, record.Op, record.Partition, record.Position)).Order());
    }

    [Fact]
    public async Task Killed_source_is_read_on_from_the_slot_without_a_gap()
    {
        await using var server = await LocalPostgresServer.StartAsync(new LocalPostgresOptions());
        await using var scene = await OwnServerAsync(server);
        for (var round = 0; round < 3; round++)
        {
            scene.Lanes.Budget = 150;
            await scene.Source.ExecuteAsync($"insert into t select {round * 1000} + g, 'x' from generate_series(1, 500) g");
            await scene.Source.ExecuteAsync($"update t set v = 'y' where id between {round * 1000} and {(round * 1000) + 300}");
            await server.KillAsync();
            await scene.UntilAsync(() => scene.Log.Status.Fault is { Code: "source-unreachable" } && !scene.Log.Status.Stopped);
            await server.StartAsync();
            scene.Lanes.Budget = -1;
            await scene.UntilConfirmedAsync();
            Assert.Null(scene.Log.Status.Fault);
        }

        Assert.Equal(await scene.Source.RowsAsync("select '{\"id\":\"' || id || '\",\"v\":\"' || v || '\"}' from t order by '{\"id\":\"' || id || '\"}' collate \"C\""), scene.Lanes.RowsOf("p.public.t"));
    }

    [Fact]
    public async Task Transaction_published_before_the_connection_broke_is_not_published_twice()
    {
        await using var scene = await StreamingAsync();
        scene.Lanes.Applying = false;
        await scene.Source.ExecuteAsync("insert into t select g, 'x' from generate_series(1, 100) g");
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 100);
        await scene.Source.ExecuteAsync($"select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '{scene.Slot}'");
        scene.Lanes.Applying = true;
        await scene.Source.ExecuteAsync("insert into t values (101, 'x')");
        await scene.UntilConfirmedAsync();
        Assert.Equal(101, scene.Seen("public.t").Count);
    }

    [Fact]
    public async Task Second_process_is_refused_while_the_first_runs_and_takes_over_after_it()
    {
        await using var scene = await StreamingAsync();
        var impatient = scene.Options with { SlotWait = TimeSpan.FromMilliseconds(500) };
        var fault = (await Assert.ThrowsAsync<FaultException>(() => EmbeddedLog.StartAsync(impatient))).Fault;
        Assert.Equal(("slot-in-use", FaultKind.NotAllowed), (fault.Code, fault.Kind));
        var second = EmbeddedLog.StartAsync(scene.Options);
        await Task.Delay(300);
        Assert.False(second.IsCompleted);
        await scene.StopAsync();
        await using var log = await second;
        Assert.NotEqual(scene.Log.Incarnation, log.Incarnation);
    }

    [Fact]
    public async Task Slot_held_by_a_stranger_ends_the_log_after_the_wait()
    {
        await using var scene = await StreamingAsync();
        await scene.StopAsync();
        await using var stranger = new Npgsql.Replication.LogicalReplicationConnection(scene.Source.ConnectionString);
        await stranger.Open();
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            await foreach (var message in Npgsql.Replication.PgOutputConnectionExtensions.StartReplication(
                stranger, new Npgsql.Replication.PgOutput.PgOutputReplicationSlot(scene.Slot),
                new Npgsql.Replication.PgOutput.PgOutputReplicationOptions(scene.Slot, Npgsql.Replication.PgOutput.PgOutputProtocolVersion.V1), stop.Token))
            {
                _ = message;
            }
        });
        await scene.UntilAsync(async () => await scene.Source.ScalarAsync<bool>($"select active from pg_replication_slots where slot_name = '{scene.Slot}'"));
        scene.Options = scene.Options with { SlotWait = TimeSpan.FromSeconds(1) };
        await scene.StartAsync();
        await scene.Log.Completion.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(("slot-in-use", FaultKind.NotAllowed), (scene.Log.Status.Fault!.Code, scene.Log.Status.Fault.Kind));
        await scene.StopAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Theory]
    [InlineData("select pg_drop_replication_slot('{0}')", "slot-lost")]
    [InlineData("select pg_drop_replication_slot('{0}'); select pg_create_logical_replication_slot('{0}', 'pgoutput')", "slot-moved")]
    [InlineData("select pg_replication_slot_advance('{0}', pg_current_wal_lsn())", "slot-moved")]
    [InlineData("alter publication \"{0}\" drop table t", "publication-changed")]
    [InlineData("drop table t; create table t(id int primary key, v text)", "publication-changed")]
    public async Task Slot_or_publication_that_is_not_what_was_left_is_a_broken_log(string sql, string code)
    {
        await using var scene = await StreamingAsync();
        await scene.UntilConfirmedAsync();
        await scene.StopAsync();
        await scene.Source.ExecuteAsync("insert into t values (1, 'lost?')");
        foreach (var statement in sql.Split(';'))
        {
            await scene.Source.ExecuteAsync(statement.Replace("{0}", scene.Slot, StringComparison.Ordinal));
        }

        var fault = (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault;
        Assert.Equal((code, FaultKind.LogBroken), (fault.Code, fault.Kind));
    }

    [Fact]
    public async Task Target_restored_to_an_earlier_state_is_noticed()
    {
        await using var scene = await StreamingAsync();
        await scene.UntilConfirmedAsync();
        var old = await scene.Target.ScalarAsync<string>("select confirmed_lsn::text from cdc_migrator.embedded_log");
        await scene.Source.ExecuteAsync("insert into t values (1, 'x')");
        await scene.UntilConfirmedAsync();
        await scene.StopAsync();
        await scene.Target.ExecuteAsync($"update cdc_migrator.embedded_log set confirmed_lsn = '{old}'");
        Assert.Equal("slot-moved", (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault.Code);
    }

    [Fact]
    public async Task Source_of_another_lineage_is_refused()
    {
        await using var scene = await StreamingAsync();
        await scene.StopAsync();
        await scene.Target.ExecuteAsync("update cdc_migrator.embedded_log set timeline = timeline + 1");
        Assert.Equal("lineage-changed", (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault.Code);
    }

    [Fact]
    public async Task Log_whose_row_another_life_took_ends()
    {
        await using var scene = await StreamingAsync();
        await scene.Target.ExecuteAsync("update cdc_migrator.embedded_log set incarnation = 'other'");
        await scene.Source.ExecuteAsync("insert into t values (1, 'x')");
        await scene.Log.Completion.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(("superseded", FaultKind.Fenced), (scene.Log.Status.Fault!.Code, scene.Log.Status.Fault.Kind));
    }

    [Fact]
    public async Task Lane_is_not_given_to_a_log_that_was_taken_over()
    {
        await using var scene = await StreamingAsync();
        await using var apply = PostgresConnections.CreateApply(scene.Target.ConnectionString);
        await using var store = new PostgresLaneStore(apply, scene.Migration, new ApplySection(), null,
            new PostgresMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), TimeProvider.System, NullLogger.Instance);
        var lane = new LaneId(scene.Log.Topics[0], 0);
        await store.ClaimAsync(lane, scene.Log.Identity, 0, CancellationToken.None);
        var ended = scene.Log.Identity;
        await scene.RestartAsync();
        Assert.Equal(("superseded", FaultKind.Fenced), await RefusedAsync(() => store.ClaimAsync(lane, ended, 0, CancellationToken.None)));
        await store.ClaimAsync(lane, scene.Log.Identity, 0, CancellationToken.None);
    }

    [Fact]
    public async Task Added_and_dropped_columns_show_at_exactly_the_row_they_begin_with()
    {
        await using var scene = await StreamingAsync();
        await scene.Source.ExecuteAsync("insert into t values (1, 'a'); alter table t add column n int default 7; insert into t values (2, 'b')");
        await scene.Source.ExecuteAsync("alter table t drop column v; insert into t values (3, 8); alter table t rename to renamed; insert into renamed values (4, 9)");
        await scene.UntilConfirmedAsync();
        Assert.Equal(["""{"id":"1","v":"a"}""", """{"id":"2","v":"b","n":"7"}""", """{"id":"3","n":"8"}""", """{"id":"4","n":"9"}"""], scene.Lanes.RowsOf("p.public.t"));
    }

    private async Task<LogScene> StreamingAsync()
    {
        var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.UntilAsync(() => scene.Log.Status.ReceivedLsn > 0);
        return scene;
    }

    private static async Task<(string, FaultKind)> RefusedAsync(Func<Task> act)
    {
        var fault = (await Assert.ThrowsAsync<FaultException>(act)).Fault;
        return (fault.Code, fault.Kind);
    }

    private async Task<LogScene> OwnServerAsync(LocalPostgresServer server)
    {
        var connection = await server.CreateDatabaseAsync("src", Schema);
        var scene = LogScene.Create(new TestDatabase(connection, NpgsqlDataSource.Create(connection + ";Pooling=false")), await postgres.CreateTargetAsync(Schema), "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        return scene;
    }
}

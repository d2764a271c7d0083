using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Embedded;

public sealed class SnapshotTests(PostgresFixture postgres)
{
    private const string Schema = "create table t(id int primary key, v text)";

    [Fact]
    public async Task Rows_and_changes_meet_exactly_while_others_write()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.Source.ExecuteAsync("insert into t select g, 'old' from generate_series(1, 5000) g");
        using var writing = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var i = 0; !writing.IsCancellationRequested; i++)
            {
                var id = random.Next(1, 6000);
                await scene.Source.ExecuteAsync(random.Next(3) switch
                {
                    0 => $"delete from t where id = {id}",
                    1 => $"insert into t values ({id}, 'w{seed}-{i}') on conflict (id) do update set v = excluded.v",
                    _ => $"update t set v = v || '.' where id = {id}",
                });
            }
        })).ToArray();
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await Task.Delay(300);
        await writing.CancelAsync();
        await Task.WhenAll(writers);
        await scene.UntilConfirmedAsync();

        var expected = await scene.Source.RowsAsync("select id, v from t");
        Assert.Equal(expected.Order(StringComparer.Ordinal), scene.Lanes.Rows.Where(row => row.Key.Topic == "p.public.t").Select(row => Plain(row.Value)).Order(StringComparer.Ordinal));
        Assert.Contains(scene.Seen("public.t"), record => record.Op == "c");
        Assert.All(scene.Seen("public.t").Where(record => record.Op == "r").GroupBy(record => record.Key), rows => Assert.Single(rows));
        Assert.All(scene.Log.Status.Snapshot, table => Assert.True(table.Published));
    }

    [Fact]
    public async Task Phase_stays_snapshot_until_the_target_has_all_rows()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.Source.ExecuteAsync("insert into t select g, 'x' from generate_series(1, 100) g");
        scene.Lanes.Budget = 99;
        await scene.StartAsync();
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 100 && scene.Log.Status.UnappliedRecords == 1);
        Assert.Equal("snapshot", await PhaseAsync(scene));
        Assert.Equal(EmbeddedLogPhase.Snapshot, scene.Log.Status.Phase);
        scene.Lanes.Budget = 1;
        await scene.UntilStreamingAsync();
        Assert.Equal("streaming", await PhaseAsync(scene));
    }

    [Fact]
    public async Task Interrupted_snapshot_starts_over_with_cleared_tables_and_lanes_of_the_old_life_shut_out()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.Source.ExecuteAsync("insert into t select g, 'x' from generate_series(1, 50) g");
        scene.Lanes.Applying = false;
        await scene.StartAsync();
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 50);
        var slot = await scene.Source.ScalarAsync<string>($"select confirmed_flush_lsn::text from pg_replication_slots where slot_name = '{scene.Slot}'");
        await scene.StopAsync();

        // What the first life's lanes had written when it died; meanwhile the source loses one of the rows.
        await scene.Target.ExecuteAsync($"""
            insert into t values (1, 'x'), (2, 'x');
            insert into cdc_migrator.progress(migration, topic, partition, next_offset, cluster_id, partition_count) values ('{scene.Migration}', 'p.public.t', 0, 2, 'old', 4)
            """);
        await scene.Source.ExecuteAsync("delete from t where id = 1");
        scene.Lanes.Rows.Clear();
        scene.Lanes.Applying = true;
        await scene.StartAsync();
        Assert.Empty(await scene.Target.RowsAsync("select * from t"));
        Assert.Equal(2, await scene.Target.ScalarAsync<long>("select epoch from cdc_migrator.progress"));
        await scene.UntilStreamingAsync();
        Assert.Equal(49, scene.Lanes.RowsOf("p.public.t").Count);
        Assert.NotEqual(slot, await scene.Source.ScalarAsync<string>($"select confirmed_flush_lsn::text from pg_replication_slots where slot_name = '{scene.Slot}'"));
    }

    [Fact]
    public async Task Slot_without_rows_published_is_replaced_after_a_crash()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.StopAsync();

        // The crash points in front of the first row: row written, publication and slot there or not.
        foreach (var lost in new[]
        {
            "select 1", $"select pg_drop_replication_slot('{scene.Slot}')", $"select pg_drop_replication_slot('{scene.Slot}'); drop publication \"{scene.Slot}\"",
        })
        {
            await scene.Source.ExecuteAsync(lost);
            await scene.Target.ExecuteAsync("update cdc_migrator.embedded_log set phase = 'snapshot', confirmed_lsn = null");
            await scene.Source.ExecuteAsync("insert into t select coalesce(max(id), 0) + 1, 'x' from t");
            scene.Lanes.Rows.Clear();
            await scene.StartAsync();
            await scene.UntilStreamingAsync();
            Assert.Equal(await scene.Source.ScalarAsync<long>("select count(*) from t"), scene.Lanes.RowsOf("p.public.t").Count);
            await scene.StopAsync();
        }
    }

    [Fact]
    public async Task Rows_are_never_cleared_once_changes_stream()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.Target.ExecuteAsync("insert into t values (1, 'kept')");
        await scene.RestartAsync();
        await scene.UntilConfirmedAsync();
        Assert.Equal(["1|kept"], await scene.Target.RowsAsync("select * from t"));
    }

    [Fact]
    public async Task Target_with_rows_is_refused_and_keeps_them()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.Target.ExecuteAsync("insert into t values (1, 'somebody''s')");
        var fault = (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault;
        Assert.Equal(("target-not-empty", "public.t"), (fault.Code, fault.Table));
        Assert.Equal("target-not-empty", (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault.Code);
        Assert.Single(await scene.Target.RowsAsync("select * from t"));
        Assert.Equal(0, await scene.Source.ScalarAsync<long>($"select count(*) from pg_replication_slots where slot_name = '{scene.Slot}'"));
    }

    [Fact]
    public async Task Table_added_between_crash_and_restart_of_the_snapshot_is_not_cleared_but_must_be_empty()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema + "; create table u(id int primary key)", "public.t");
        await scene.Source.ExecuteAsync("insert into t values (1, 'x')");
        scene.Lanes.Applying = false;
        await scene.StartAsync();
        await scene.StopAsync();
        await scene.Target.ExecuteAsync("insert into u values (1)");
        var u = new TableName("public", "u");
        scene.Options = scene.Options with { Tables = [.. scene.Options.Tables, new TableMapping { Source = u, Target = u }] };
        Assert.Equal("target-not-empty", (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault.Code);
        Assert.Single(await scene.Target.RowsAsync("select * from u"));
    }

    [Fact]
    public async Task Table_added_once_changes_stream_is_refused()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema + "; create table u(id int primary key)", "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.StopAsync();
        var u = new TableName("public", "u");
        scene.Options = scene.Options with { Tables = [.. scene.Options.Tables, new TableMapping { Source = u, Target = u }] };
        Assert.Equal("tables-added", (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault.Code);
    }

    [Fact]
    public async Task Slot_of_another_target_is_refused()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.Source.ExecuteAsync($"select pg_create_logical_replication_slot('{scene.Slot}', 'pgoutput')");
        Assert.Equal("slot-exists", (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault.Code);
        Assert.Equal(1, await scene.Source.ScalarAsync<long>($"select count(*) from pg_replication_slots where slot_name = '{scene.Slot}'"));
    }

    [Theory]
    [InlineData("create table k(id int)")]
    [InlineData("create table k(id int primary key); alter table k replica identity nothing")]
    [InlineData("create table k(id int primary key, u int not null unique default 1); alter table k replica identity using index k_u_key")]
    public async Task Table_whose_changes_carry_no_key_is_refused_before_it_is_published(string sql)
    {
        await using var scene = await LogScene.CreateAsync(postgres, sql, "public.k");
        var fault = (await Assert.ThrowsAsync<FaultException>(scene.StartAsync)).Fault;
        Assert.Equal(("replica-identity", "public.k"), (fault.Code, fault.Table));
        await scene.Source.ExecuteAsync("insert into k values (1); update k set id = 2");
    }

    [Fact]
    public async Task Snapshot_whose_source_session_dies_starts_over_behind_what_is_in_flight()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        await scene.Source.ExecuteAsync("insert into t select g, repeat('x', 1000) from generate_series(1, 40000) g");
        scene.Lanes.Applying = false;
        await scene.StartAsync();

        // Lanes are full and the COPY waits for them: it learns that its session is gone when there is room again.
        await scene.UntilAsync(() => scene.Log.Status.UnappliedBytes > 10 << 20);
        await scene.Source.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cdcm snapshot' and datname = current_database()");
        await scene.Source.ExecuteAsync("delete from t where id <= 10; update t set v = 'new' where id = 11");
        await scene.Target.ExecuteAsync("insert into t values (1, 'of the first try')");
        scene.Lanes.Budget = 0;
        scene.Lanes.Applying = true;
        await scene.UntilAsync(() =>
        {
            scene.Lanes.Budget = scene.Lanes.Budget == 0 && scene.Log.Status.Fault is null ? 50 : scene.Lanes.Budget;
            return scene.Log.Status.Fault is not null && scene.Lanes.Budget == 0;
        });
        await Task.Delay(1000);
        Assert.NotEqual(0, scene.Log.Status.UnappliedRecords);
        Assert.Single(await scene.Target.RowsAsync("select * from t"));
        scene.Lanes.Budget = -1;
        await scene.UntilStreamingAsync();
        Assert.Empty(await scene.Target.RowsAsync("select * from t"));
        foreach (var id in Enumerable.Range(1, 10))
        {
            scene.Lanes.Rows.TryRemove(("p.public.t", $$"""{"id":"{{id}}"}"""), out _);
        }

        Assert.Equal(39990, scene.Lanes.RowsOf("p.public.t").Count);
        Assert.Equal("""{"id":"11","v":"new"}""", scene.Lanes.Rows[("p.public.t", """{"id":"11"}""")]);
    }

    [Fact]
    public async Task Every_table_is_locked_against_rewriting_while_the_first_is_copied()
    {
        await using var scene = await LogScene.CreateAsync(postgres, Schema + "; create table u(id int primary key)", "public.t", "public.u");
        await scene.Source.ExecuteAsync("insert into t select g, repeat('x', 1000) from generate_series(1, 40000) g");
        scene.Lanes.Applying = false;
        await scene.StartAsync();
        await scene.UntilAsync(() => scene.Log.Status.UnappliedBytes > 2 << 20);
        Assert.Equal(2, await scene.Source.ScalarAsync<long>("select count(*) from pg_locks where relation in ('t'::regclass, 'u'::regclass) and mode = 'AccessShareLock'"));
        scene.Lanes.Applying = true;
        await scene.UntilStreamingAsync();
        Assert.Equal(0, await scene.Source.ScalarAsync<long>("select count(*) from pg_locks where relation in ('t'::regclass, 'u'::regclass)"));
    }

    private static async Task<string?> PhaseAsync(LogScene scene) =>
        await scene.Target.ScalarAsync<string>($"select phase from cdc_migrator.embedded_log where migration = '{scene.Migration}'");

    private static string Plain(string row)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(row)!;
        return $"{json["id"]}|{json["v"]}";
    }
}

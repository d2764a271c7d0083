using CdcMigrator.Embedded;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Embedded;

public sealed class PassiveTests(PostgresFixture postgres)
{
    private const string Schema = "create table t(id int primary key, v text); create table other(id int)";

    [Fact]
    public async Task Passive_log_publishes_nothing_keeps_the_slot_moving_and_leaves_the_target_alone()
    {
        await using var scene = await PassiveAsync();
        await scene.Source.ExecuteAsync("insert into t select g, repeat('x', 1000) from generate_series(1, 20000) g");
        await scene.UntilConfirmedAsync();
        Assert.Empty(scene.Lanes.Records);
        Assert.Single(await scene.Target.RowsAsync("select * from t"));
    }

    [Fact]
    public async Task Activated_log_publishes_exactly_what_is_committed_afterwards()
    {
        await using var scene = await PassiveAsync();
        await scene.Source.ExecuteAsync("insert into t values (1, 'before')");
        await scene.Log.ActivateAsync(CancellationToken.None);
        await scene.Source.ExecuteAsync("insert into t values (2, 'after')");
        await scene.Log.ActivateAsync(CancellationToken.None);

        await scene.RestartAsync();
        Assert.Equal(EmbeddedLogPhase.Streaming, scene.Log.Status.Phase);
        await scene.Source.ExecuteAsync("insert into t values (3, 'after')");
        await scene.UntilConfirmedAsync();
        Assert.Equal(["""{"id":"2","v":"after"}""", """{"id":"3","v":"after"}"""], scene.Lanes.RowsOf("p.public.t"));
    }

    [Fact]
    public async Task Slot_that_repeats_what_lies_before_the_activation_does_not_publish_it()
    {
        await using var scene = await PassiveAsync();
        await scene.Log.ActivateAsync(CancellationToken.None);
        scene.Lanes.Applying = false;
        await scene.Source.ExecuteAsync("insert into t values (2, 'as if before')");
        await scene.Source.ExecuteAsync("insert into t values (3, 'after')");
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 2);
        var activated = scene.Seen("public.t").Max(record => record.Position.Commit);
        await scene.StopAsync();
        await scene.Target.ExecuteAsync($"update cdc_migrator.embedded_log set active_from = '0/0'::pg_lsn + {activated}");
        scene.Lanes.Applying = true;
        await scene.StartAsync();
        await scene.UntilConfirmedAsync();
        Assert.Equal(["""{"id":"3","v":"after"}"""], scene.Seen("public.t").Select(record => record.After));
    }

    [Fact]
    public async Task Deactivated_log_drops_changes_though_its_lanes_are_stuck()
    {
        await using var scene = await PassiveAsync();
        await scene.Log.ActivateAsync(CancellationToken.None);
        scene.Lanes.Applying = false;
        await scene.Source.ExecuteAsync("insert into t select g, repeat('x', 10000) from generate_series(1, 3000) g");
        await scene.UntilAsync(() => scene.Log.Status.UnappliedBytes > 2 << 20);
        await scene.Log.DeactivateAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        await scene.Source.ExecuteAsync("insert into t values (9001, 'dropped')");
        await scene.UntilConfirmedAsync();
        Assert.DoesNotContain(scene.Seen("public.t"), record => record.Key == """{"id":"9001"}""");
        Assert.Equal("passive", await scene.Target.ScalarAsync<string>("select phase from cdc_migrator.embedded_log"));
    }

    [Fact]
    public async Task Passive_log_makes_a_lost_slot_anew()
    {
        await using var scene = await PassiveAsync();
        await scene.UntilConfirmedAsync();
        await scene.StopAsync();
        await scene.Source.ExecuteAsync($"select pg_drop_replication_slot('{scene.Slot}')");
        await using (var old = await scene.Source.DataSource.OpenConnectionAsync())
        {
            // Making the slot waits for this transaction, and activation for the slot.
            await using var transaction = await old.BeginTransactionAsync();
            await using var write = new Npgsql.NpgsqlCommand("insert into other values (1)", old);
            await write.ExecuteNonQueryAsync();
            await scene.StartAsync();
            var activating = scene.Log.ActivateAsync(CancellationToken.None);
            await Task.Delay(500);
            Assert.False(activating.IsCompleted);
            await transaction.CommitAsync();
            await activating;
        }

        await scene.Log.ActivateAsync(CancellationToken.None);
        await scene.Source.ExecuteAsync("insert into t values (1, 'x')");
        await scene.UntilConfirmedAsync();
        Assert.Single(scene.Lanes.RowsOf("p.public.t"));
    }

    [Fact]
    public async Task Removed_log_leaves_neither_slot_nor_publication_nor_state()
    {
        await using var scene = await PassiveAsync();
        await scene.UntilConfirmedAsync();
        await scene.StopAsync();
        await EmbeddedLog.RemoveAsync(scene.Options);
        await EmbeddedLog.RemoveAsync(scene.Options);
        Assert.Equal(0, await scene.Source.ScalarAsync<long>($"select (select count(*) from pg_replication_slots where slot_name = '{scene.Slot}') + (select count(*) from pg_publication)"));
        Assert.Equal(0, await scene.Target.ScalarAsync<long>("select count(*) from cdc_migrator.embedded_log"));
    }

    private async Task<LogScene> PassiveAsync()
    {
        var scene = await LogScene.CreateAsync(postgres, Schema, "public.t");
        scene.Options = scene.Options with { Start = EmbeddedLogStart.Passive };
        await scene.Target.ExecuteAsync("insert into t values (1, 'already here')");
        await scene.StartAsync();
        await scene.UntilAsync(() => scene.Log.Status.ReceivedLsn > 0);
        return scene;
    }
}

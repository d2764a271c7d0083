using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.DeadLetters;

/// <summary>A row's dead letters are applied in their order, once, in the lane's order, or stay.</summary>
public sealed class RetryTests(PostgresFixture postgres)
{
    [Fact]
    public async Task All_dead_letters_of_a_row_are_applied_in_order_once_the_target_is_mended()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        await scene.Database.ExecuteAsync("insert into items values (1, 'one', 'kept', 'c1')");
        await scene.ApplyAsync(
        [
            scene.Events.Update(("id", 1), ("v", "too long"), ("note", "__debezium_unavailable_value"), ("code", "c1")),
            scene.Events.NextTransaction().Insert(("id", 2), ("v", "two"), ("note", null), ("code", null)),
            scene.Events.NextTransaction().Update(("id", 1), ("v", "longest"), ("note", "__debezium_unavailable_value"), ("code", "c2")),
        ], 0, 2);

        var refused = await scene.RetryAsync();
        Assert.Equal((0, "bad-value"), (refused.Applied, refused.Fault!.Code));
        Assert.Equal(["1|one|kept|c1", "2|two|∅|∅"], await scene.ItemsAsync());
        Assert.Equal(2, (await scene.LettersAsync()).Count);
        Assert.Contains("character varying(5)", (await scene.Desk.ListAsync(new(), 1, CancellationToken.None))[0].Message, StringComparison.Ordinal);

        await scene.Database.ExecuteAsync("alter table items alter v type text");
        Assert.Equal((2, (Fault?)null), Of(await scene.RetryAsync()));
        Assert.Equal(["1|longest|kept|c2", "2|two|∅|∅"], await scene.ItemsAsync());
        Assert.Empty(await scene.LettersAsync());
        Assert.Equal(["test|dead-letters-applied|2"], await scene.Database.RowsAsync("select actor, event, jsonb_array_length(evidence) from cdc_migrator.journal"));
        Assert.Equal((0, (Fault?)null), Of(await scene.RetryAsync()));
    }

    [Fact]
    public async Task Freeing_a_row_shuts_the_owner_out_and_the_next_claim_sees_it_free()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        var owner = await scene.ApplyAsync([scene.Events.Insert(("id", 1), ("v", "fits"))], 0);
        await scene.RetryAsync();
        var behind = scene.Batch([scene.Events.Update(("id", 1), ("v", "later"))], 1);
        Assert.Equal(FaultKind.Fenced, (await Assert.ThrowsAsync<FaultException>(() => owner.ApplyAsync(behind, CancellationToken.None))).Fault.Kind);
        Assert.Empty(await scene.LettersAsync());

        var next = await scene.ClaimAsync();
        Assert.Empty(next.ParkedKeys);
        Assert.Equal(1, next.NextOffset);
    }

    [Fact]
    public async Task A_retry_waits_for_the_owners_transaction_and_takes_what_that_parked()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        await scene.ApplyAsync([scene.Events.Insert(("id", 1), ("v", "first"), ("note", "a"), ("code", null))], 0);
        await scene.Database.ExecuteAsync("""
            create function wait() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(4711); return null; end';
            create trigger wait after insert on cdc_migrator.dead_letter for each row execute function wait();
            alter table cdc_migrator.dead_letter enable always trigger wait
            """);
        await using var gate = await scene.Database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var held = await gate.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = gate.CreateCommand())
        {
            hold.CommandText = "select pg_advisory_xact_lock(4711)";
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var parking = scene.ApplyAsync([scene.Events.NextTransaction().Update(("id", 1), ("v", "last"), ("note", "b"), ("code", null))], 1);
        await WaitersAsync(scene, 1);
        var retrying = scene.RetryAsync();
        await WaitersAsync(scene, 2);
        Assert.False(retrying.IsCompleted);

        await held.RollbackAsync(TestContext.Current.CancellationToken);
        await parking;
        Assert.Equal((2, (Fault?)null), Of(await retrying));
        Assert.Equal(["1|last|b|∅"], await scene.ItemsAsync());
        Assert.Empty(await scene.LettersAsync());
    }

    [Fact]
    public async Task What_a_truncate_in_another_lane_took_away_is_not_brought_back_by_a_retry()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        var before = scene.Events.Insert(("id", 1), ("v", "old"), ("note", null), ("code", null));
        var truncated = scene.Events.NextTransaction().Lsn;
        scene.Events.Lsn += 8;
        await scene.ApplyAsync([before, scene.Events.Insert(("id", 2), ("v", "new"), ("note", null), ("code", null))], 0, 1);
        await scene.Database.ExecuteAsync(
            $"insert into cdc_migrator.truncation values ('test', '{ParkedScene.Lane.Topic}', '{new TableName("public", "items").Sql}', '{SourcePosition.Format(truncated)}')");

        Assert.Equal((1, (Fault?)null), Of(await scene.RetryAsync(1)));
        Assert.Equal((1, (Fault?)null), Of(await scene.RetryAsync(2)));
        Assert.Equal(["2|new|∅|∅"], await scene.ItemsAsync());
    }

    [Theory]
    [InlineData("delete", "cdc_migrator.dead_letter", false)]
    [InlineData("delete", "cdc_migrator.dead_letter", true)]
    [InlineData("insert", "items", false)]
    [InlineData("insert", "cdc_migrator.journal", true)]
    public async Task A_session_killed_in_a_retry_leaves_all_or_nothing(string what, string table, bool atCommit)
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        await scene.ApplyAsync([scene.Events.Insert(("id", 1), ("v", "fits"), ("note", null), ("code", null))], 0);
        await scene.KillOnAsync(what, table, atCommit);
        var fault = await Assert.ThrowsAsync<FaultException>(() => scene.RetryAsync());
        Assert.Contains(fault.Fault.Kind, new[] { FaultKind.Transient, FaultKind.Unreachable });
        await scene.StopKillingAsync();
        Assert.Empty(await scene.ItemsAsync());
        Assert.Single(await scene.LettersAsync());
        Assert.Empty(await scene.Database.RowsAsync("select * from cdc_migrator.journal"));

        Assert.Equal((1, (Fault?)null), Of(await scene.RetryAsync()));
        Assert.Equal(["1|fits|∅|∅"], await scene.ItemsAsync());
        Assert.Empty(await scene.LettersAsync());
    }

    [Fact]
    public async Task Retries_that_race_apply_a_row_once()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        await scene.Database.ExecuteAsync("create table audit(id int); create function note() returns trigger language plpgsql as 'begin insert into public.audit values (new.id); return null; end'; "
            + "create trigger note after insert or update on items for each row execute function note(); alter table items enable always trigger note");
        await scene.ApplyAsync([scene.Events.Insert(("id", 1), ("v", "fits"), ("note", null), ("code", null))], 0);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => scene.RetryAsync())));
        Assert.Equal(1, outcomes.Sum(outcome => outcome.Applied));
        Assert.Equal(["1"], await scene.Database.RowsAsync("select id from audit"));
    }

    [Fact]
    public async Task An_unreadable_change_does_not_matter_once_a_later_one_carries_the_whole_row()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        var broken = scene.Events.Update(("id", 1), ("v", "x")) with { Value = Encoding.UTF8.GetBytes("{broken") };
        await scene.ApplyAsync([broken], 0);
        var refused = await scene.RetryAsync();
        Assert.Equal((0, "undecodable"), (refused.Applied, refused.Fault!.Code));

        // What lacks a column does not make the earlier change superfluous.
        await scene.ApplyAsync([scene.Events.NextTransaction().Update(("id", 1), ("v", "b"), ("note", "__debezium_unavailable_value"), ("code", null))], 1);
        Assert.Equal("undecodable", (await scene.RetryAsync()).Fault!.Code);

        await scene.ApplyAsync([scene.Events.NextTransaction().Update(("id", 1), ("v", "c"), ("note", "n"), ("code", null))], 2);
        Assert.Equal((3, (Fault?)null), Of(await scene.RetryAsync()));
        Assert.Equal(["1|c|n|∅"], await scene.ItemsAsync());
    }

    [Fact]
    public async Task A_key_change_away_from_a_parked_row_ends_right()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        await scene.Database.ExecuteAsync("insert into items values (1, 'one', 'n', null)");
        var records = new List<LogRecord> { scene.Events.Update(("id", 1), ("v", "too long"), ("note", "n"), ("code", null)) };
        records.AddRange(scene.Events.NextTransaction().KeyChange([("id", 1)], [("id", 2), ("v", "moved"), ("note", "n"), ("code", null)]));

        // Its delete waits behind the parked change; the insert carries the row.
        await scene.ApplyAsync(records, 0, 1);
        Assert.Equal(["1|one|n|∅", "2|moved|n|∅"], await scene.ItemsAsync());

        // The delete makes the parked change superfluous: nothing needs mending.
        Assert.Equal((2, (Fault?)null), Of(await scene.RetryAsync()));
        Assert.Equal(["2|moved|n|∅"], await scene.ItemsAsync());
    }

    [Fact]
    public async Task A_value_the_row_needs_is_taken_from_a_row_that_no_longer_has_it_in_the_source()
    {
        await using var source = await postgres.CreateSourceAsync(ParkedScene.Schema + "; insert into items values (1, 'one', 'n', 'C'), (2, 'two', 'n', 'D')");
        await using var reads = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var scene = await ParkedScene.CreateAsync(postgres, source: new SourceRows(reads, TimeProvider.System));
        await scene.Database.ExecuteAsync("insert into items values (2, 'two', 'n', 'C')");
        scene.Events.TransactionId = 3;
        await scene.ApplyAsync([scene.Events.Insert(("id", 1), ("v", "one"), ("note", "n"), ("code", "C"))], 0);
        Assert.Equal((1, (Fault?)null), Of(await scene.RetryAsync()));
        Assert.Equal(["1|one|n|C"], await scene.ItemsAsync());

        // With both rows having it in the source there is no answer but the operator's.
        await source.ExecuteAsync("alter table items drop constraint items_code_key; update items set code = 'C'");
        await scene.ApplyAsync([scene.Events.NextTransaction().Insert(("id", 2), ("v", "two"), ("note", "n"), ("code", "C"))], 1);
        Assert.Equal("unique-conflict", (await scene.RetryAsync(2)).Fault!.Code);
        Assert.Equal(["1|one|n|C"], await scene.ItemsAsync());
    }

    [Fact]
    public async Task A_frozen_lane_takes_no_retry()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        await scene.ApplyAsync([scene.Events.Insert(("id", 1), ("v", "fits"))], 0);
        await ProgressTable.SetFrozenAsync(scene.Database.DataSource, "test", true, CancellationToken.None);
        Assert.Equal("lane-frozen", (await Assert.ThrowsAsync<FaultException>(() => scene.RetryAsync())).Fault.Code);
        Assert.Empty(await scene.ItemsAsync());
        Assert.Single(await scene.LettersAsync());
    }

    [Fact]
    public async Task Discarding_is_journaled_and_frees_the_row_when_nothing_is_left_behind_it()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        await scene.ApplyAsync(
            [scene.Events.Insert(("id", 1), ("v", "too long")), scene.Events.Update(("id", 1), ("v", "b")), scene.Events.Insert(("id", 2), ("v", "too long"))], 0, 1, 2);
        await scene.Database.ExecuteAsync("update cdc_migrator.dead_letter set code = 'behind-parked' where record_offset = 1");
        var first = (await scene.Desk.ListAsync(new(), 1, CancellationToken.None))[0];
        Assert.Equal([first], await scene.Desk.DiscardAsync(new(first.Id), "ann@host", CancellationToken.None));
        Assert.Equal([ParkedScene.Key(1), ParkedScene.Key(2)], (await scene.ClaimAsync()).ParkedKeys.OrderBy(key => key.Key));
        Assert.Contains("was discarded", (await scene.Desk.ListAsync(new(Key: "1"), 1, CancellationToken.None))[0].Message, StringComparison.Ordinal);

        Assert.Equal(2, (await scene.Desk.DiscardAsync(new(Table: "public.items"), "ann@host", CancellationToken.None)).Count);
        Assert.Empty((await scene.ClaimAsync()).ParkedKeys);
        Assert.Equal(
            ["ann@host|dead-letters-discarded|1|0", "ann@host|dead-letters-discarded|2|1"],
            await scene.Database.RowsAsync("select actor, event, jsonb_array_length(evidence), evidence->0->>'offset' from cdc_migrator.journal order by id"));
        Assert.Empty(await scene.Desk.DiscardAsync(new(), "ann@host", CancellationToken.None));
        Assert.Equal(2L, await scene.Database.ScalarAsync<long>("select count(*) from cdc_migrator.journal"));
    }

    private static (int, Fault?) Of(CdcMigrator.Postgres.DeadLetters.RetryOutcome outcome) => (outcome.Applied, outcome.Fault);

    private static async Task WaitersAsync(ParkedScene scene, long count)
    {
        while (await scene.Database.ScalarAsync<long>("select count(*) from pg_locks l join pg_stat_activity a using (pid) where not granted and a.datname = current_database()") < count)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        }
    }
}

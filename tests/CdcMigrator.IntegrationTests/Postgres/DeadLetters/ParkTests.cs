using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.IntegrationTests.Postgres.DeadLetters;

/// <summary>Parking is one with the progress that passes the record.</summary>
public sealed class ParkTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Parked_records_are_committed_with_the_changes_around_them_and_known_to_the_next_owner()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        LogRecord[] records =
        [
            scene.Events.Insert(("id", 1), ("v", "one"), ("note", null), ("code", null)),
            scene.Events.Update(("id", 1), ("v", "too long"), ("note", null), ("code", null)),
            scene.Events.Insert(("id", 2), ("v", "two"), ("note", null), ("code", null)),
            scene.Events.Delete(("id", 1)),
        ];
        var writer = await scene.ApplyAsync(records, 1, 3);
        Assert.Empty(writer.ParkedKeys);
        Assert.Equal(["1|one|∅|∅", "2|two|∅|∅"], await scene.ItemsAsync());
        Assert.Equal(["""1|{"id":"1"}|bad-value""", """3|{"id":"1"}|bad-value"""], await scene.LettersAsync());
        Assert.Equal([ParkedScene.Key(1)], (await scene.ClaimAsync()).ParkedKeys);
        var letter = (await scene.Desk.FindAsync((await scene.Desk.ListAsync(new(), 10, CancellationToken.None))[0].Id, CancellationToken.None))!;
        Assert.Equal(records[1].Value, letter.Record!.Value);
        Assert.Equal(records[1].Key, letter.Record.Key);
        Assert.Equal("cluster", await scene.Database.ScalarAsync<string>("select min(cluster_id) from cdc_migrator.dead_letter"));
    }

    [Fact]
    public async Task Headers_and_odd_bytes_come_back_as_they_were()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        var record = scene.Events.Insert(("id", 1), ("v", "x")) with { Headers = [new LogHeader("__debezium.oldkey", [1, 0, 255]), new LogHeader("ä\"", null)] };
        await scene.ApplyAsync([record], 0);
        var letter = Assert.Single(await scene.Desk.LettersAsync(new(ParkedScene.Lane, ParkedScene.Key(1), 1, 1), CancellationToken.None));
        Assert.Equal(record.Headers.Select(header => header.Key), letter.Record!.Headers.Select(header => header.Key));
        Assert.Equal(record.Headers[0].Value, letter.Record.Headers[0].Value);
        Assert.Null(letter.Record.Headers[1].Value);
        Assert.Equal(record.TimestampMs, letter.Record.TimestampMs);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_session_killed_while_parking_leaves_all_or_nothing_and_the_record_is_parked_once(bool atCommit)
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        LogRecord[] records = [scene.Events.Insert(("id", 1), ("v", "too long")), scene.Events.Insert(("id", 2), ("v", "two"))];
        await scene.ClaimAsync();
        await scene.KillOnAsync("insert", "cdc_migrator.dead_letter", atCommit);
        var fault = await Assert.ThrowsAsync<FaultException>(() => scene.ApplyAsync(records, 0));
        Assert.Contains(fault.Fault.Kind, new[] { FaultKind.Transient, FaultKind.Unreachable });
        await scene.StopKillingAsync();
        Assert.Equal(0, await scene.NextOffsetAsync());
        Assert.Empty(await scene.LettersAsync());
        Assert.Empty(await scene.ItemsAsync());

        await scene.ApplyAsync(records, 0);
        Assert.Equal(["""0|{"id":"1"}|bad-value"""], await scene.LettersAsync());
        Assert.Equal(2, await scene.NextOffsetAsync());
    }

    [Fact]
    public async Task A_parking_whose_answer_is_lost_is_not_repeated()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        LogRecord[] records = [scene.Events.Insert(("id", 1), ("v", "too long"))];
        await scene.ApplyAsync(records, 0);

        // The lane did not hear of the commit: it claims, and starts behind the record.
        var writer = await scene.ClaimAsync();
        Assert.Equal(1, writer.NextOffset);
        Assert.Equal([ParkedScene.Key(1)], writer.ParkedKeys);
        Assert.Single(await scene.LettersAsync());
    }

    [Fact]
    public async Task A_zombie_cannot_park()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        var zombie = await scene.ClaimAsync();
        await scene.ClaimAsync();
        var batch = scene.Batch([scene.Events.Insert(("id", 1), ("v", "too long"))], 0);
        Assert.Equal(FaultKind.Fenced, (await Assert.ThrowsAsync<FaultException>(() => zombie.ApplyAsync(batch, CancellationToken.None))).Fault.Kind);
        Assert.Empty(await scene.LettersAsync());
    }

    [Fact]
    public async Task A_batch_that_goes_in_parts_parks_only_what_progress_has_passed()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        LogRecord[] records =
        [
            scene.Events.Insert(("id", 1), ("v", "a")), scene.Events.Insert(("id", 9), ("v", "parked")), scene.Events.Insert(("id", 2), ("v", "too long")),
            scene.Events.Insert(("id", 8), ("v", "parked")), scene.Events.Insert(("id", 3), ("v", "c")),
        ];
        var fault = await Assert.ThrowsAsync<FaultException>(() => scene.ApplyAsync(records, 1, 3));
        Assert.Equal((FaultKind.Poison, "bad-value", 2L), (fault.Fault.Kind, fault.Fault.Code, fault.Fault.Offset));
        Assert.Equal(2, await scene.NextOffsetAsync());
        Assert.Equal(["""1|{"id":"9"}|bad-value"""], await scene.LettersAsync());
    }

    [Fact]
    public async Task A_record_the_connector_repeats_is_parked_with_the_repeat_it_belongs_to_and_a_retry_takes_the_row_to_where_it_was()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        var parked = scene.Events.Insert(("id", 1), ("v", "too long"));
        await scene.ApplyAsync([parked, scene.Events.NextTransaction().Insert(("id", 2), ("v", "two"))], 0);
        await scene.ApplyAsync([parked with { Offset = 2 }], 2);
        Assert.Equal(3, await scene.NextOffsetAsync());
        Assert.Equal(2, (await scene.LettersAsync()).Count);
        await scene.Database.ExecuteAsync("alter table items alter column v type text");
        Assert.Null((await scene.RetryAsync()).Fault);
        Assert.Equal(["1|too long|∅|∅", "2|two|∅|∅"], await scene.ItemsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_retry_in_the_middle_of_a_repeat_does_not_take_the_row_back(bool canAsk)
    {
        await using var scene = await ParkedScene.CreateAsync(postgres, source: canAsk ? new OneRow("1", "new") : null);
        LogRecord[] records = [scene.Events.Insert(("id", 1), ("v", "too long")), scene.Events.NextTransaction().Update(("id", 1), ("v", "mid")), scene.Events.NextTransaction().Update(("id", 1), ("v", "new"))];
        await scene.ApplyAsync([.. records, scene.Events.NextTransaction().Insert(("id", 2), ("v", "two"))], 0, 1, 2);

        // The connector starts again, and dies before it comes to the last of them.
        await scene.ApplyAsync([records[0] with { Offset = 4 }, records[1] with { Offset = 5 }], 4, 5);
        Assert.Null((await scene.RetryAsync()).Fault);
        Assert.Equal(["1|new|∅|∅", "2|two|∅|∅"], await scene.ItemsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_delete_that_is_sent_again_without_the_insert_behind_it_does_not_leave_the_row_as_it_was(bool canAsk)
    {
        await using var scene = await ParkedScene.CreateAsync(postgres, source: canAsk ? new OneRow("1", "new") : null);
        await scene.Database.ExecuteAsync("insert into items values (1, 'old', null, null)");
        LogRecord[] records = [scene.Events.Update(("id", 1), ("v", "too long")), scene.Events.NextTransaction().Delete(("id", 1)), scene.Events.NextTransaction().Insert(("id", 1), ("v", "new"))];
        await scene.ApplyAsync([.. records, scene.Events.NextTransaction().Insert(("id", 2), ("v", "two"))], 0, 1, 2);

        // The connector starts again: its first transaction is doubted, what follows is known to be a repeat.
        await scene.ApplyAsync([records[1] with { Offset = 4 }], 4);
        Assert.Null((await scene.RetryAsync()).Fault);
        Assert.Equal(["1|new|∅|∅", "2|two|∅|∅"], await scene.ItemsAsync());
        Assert.Empty(await scene.LettersAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_that_was_applied_long_ago_and_is_parked_when_it_is_sent_again_is_not_applied_as_if_it_were_new(bool isGone)
    {
        await using var scene = await ParkedScene.CreateAsync(postgres, source: new OneRow(isGone ? "" : "1", "new"));
        LogRecord[] records =
        [
            scene.Events.Insert(("id", 1), ("v", "mid"), ("note", null), ("code", null)), isGone ? scene.Events.NextTransaction().Delete(("id", 1)) : scene.Events.NextTransaction().Update(("id", 1), ("v", "new")),
            scene.Events.NextTransaction().Insert(("id", 2), ("v", "two")),
        ];
        await scene.ApplyAsync(records);

        // The connector starts again: its first transaction is doubted, and the target refuses it by now; what follows is known to be a repeat.
        await scene.ApplyAsync([records[0] with { Offset = 3 }], 3);
        Assert.Null((await scene.RetryAsync()).Fault);
        Assert.Equal(isGone ? ["2|two|∅|∅"] : ["1|new|∅|∅", "2|two|∅|∅"], await scene.ItemsAsync());
        Assert.Empty(await scene.LettersAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_repeat_of_a_parked_row_that_begins_before_positions_are_known_leaves_no_older_state(bool atOnce)
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        var firstLsn = scene.Events.Lsn;
        LogRecord[] records =
        [
            scene.Events.Insert(("id", 1), ("v", "a")), scene.Events.NextTransaction().Update(("id", 1), ("v", "b")),
            scene.Events.NextTransaction().Update(("id", 1), ("v", "c")), scene.Events.NextTransaction().Insert(("id", 2), ("v", "two")),
        ];
        await scene.ApplyAsync(records, 2);

        // The connector starts again: of the first transaction it does not know the last commit.
        var first = new DebeziumEventBuilder("public.items") { CommitLsn = null, Lsn = firstLsn, NextOffset = 4 }.Insert(("id", 1), ("v", "a"));
        LogRecord[] repeated = [first, records[1] with { Offset = 5 }, records[2] with { Offset = 6 }, records[3] with { Offset = 7 }];
        if (atOnce)
        {
            await scene.ApplyAsync(repeated, 4, 5, 6);
        }
        else
        {
            await scene.ApplyAsync(repeated[..1], 4);
            await scene.ApplyAsync(repeated[1..], 5, 6);
        }

        Assert.Null((await scene.RetryAsync()).Fault);
        Assert.Equal(["1|c|∅|∅", "2|two|∅|∅"], await scene.ItemsAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_repeat_that_writes_a_rows_older_state_again_parks_again_what_it_refuses(bool atOnce)
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        var firstLsn = scene.Events.Lsn;
        LogRecord[] records =
        [
            scene.Events.Insert(("id", 9), ("v", "nine")), scene.Events.NextTransaction().Insert(("id", 1), ("v", "a")), scene.Events.NextTransaction().Update(("id", 1), ("v", "b")),
            scene.Events.NextTransaction().Update(("id", 1), ("v", "c")), scene.Events.NextTransaction().Insert(("id", 2), ("v", "two")),
        ];
        await scene.ApplyAsync(records, 2, 3);
        await scene.Desk.DiscardAsync(new(1), "test", CancellationToken.None);
        Assert.Null((await scene.RetryAsync()).Fault);
        Assert.Equal(["1|c|∅|∅", "2|two|∅|∅", "9|nine|∅|∅"], await scene.ItemsAsync());

        // The connector starts again, at a transaction of another row: the row's first state is written once more, and so must be what became of it.
        var first = new DebeziumEventBuilder("public.items") { CommitLsn = null, Lsn = firstLsn, NextOffset = 5 }.Insert(("id", 9), ("v", "nine"));
        LogRecord[] repeated = [first, .. records[1..].Select(record => record with { Offset = record.Offset + 5 })];
        if (atOnce)
        {
            await scene.ApplyAsync(repeated, 7, 8);
        }
        else
        {
            await scene.ApplyAsync(repeated[..2]);
            await scene.ApplyAsync(repeated[2..], 7, 8);
        }

        Assert.Equal(["""7|{"id":"1"}|bad-value""", """8|{"id":"1"}|bad-value"""], await scene.LettersAsync());
        Assert.Null((await scene.RetryAsync()).Fault);
        Assert.Equal(["1|c|∅|∅", "2|two|∅|∅", "9|nine|∅|∅"], await scene.ItemsAsync());
    }

    [Fact]
    public async Task A_record_that_is_parked_already_stays_as_it_is_where_progress_was_set_back()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        LogRecord[] records = [scene.Events.SnapshotRow(("id", 1), ("v", "too long"))];
        await scene.ApplyAsync(records, 0);
        await scene.Database.ExecuteAsync("update cdc_migrator.progress set next_offset = 0");
        await scene.ApplyAsync(records, 0);
        Assert.Single(await scene.LettersAsync());
    }

    [Fact]
    public async Task A_truncate_waits_for_dead_letters_of_its_table_in_any_lane()
    {
        await using var scene = await ParkedScene.CreateAsync(postgres);
        await scene.ApplyAsync([scene.Events.Insert(("id", 1), ("v", "too long"))], 0);
        await scene.Database.ExecuteAsync("update cdc_migrator.dead_letter set partition = 3; insert into items values (7, 'seven')");
        LogRecord[] truncate = [scene.Events.NextTransaction().Truncate(), scene.Events.Insert(("id", 2), ("v", "two"))];
        var fault = (await Assert.ThrowsAsync<FaultException>(() => scene.ApplyAsync(truncate))).Fault;
        Assert.Equal(("truncate-behind-parked", 1L, "public.items"), (fault.Code, fault.Offset, fault.Table));

        await scene.Desk.DiscardAsync(new(), "test", CancellationToken.None);
        await scene.ApplyAsync(truncate);
        Assert.Equal(["2|two|∅|∅"], await scene.ItemsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task At_the_bound_the_lane_halts_by_name_and_goes_on_when_there_is_room(bool ofCount)
    {
        var events = new DebeziumEventBuilder("public.items");
        LogRecord[] records = [.. Enumerable.Range(1, 3).Select(id => events.Insert(("id", id), ("v", "too long")))];
        var bounds = ofCount ? new ApplySection { DeadLetterCount = 2 } : new ApplySection { DeadLetterBytes = records[0].Size * 2 };
        await using var scene = await ParkedScene.CreateAsync(postgres, bounds);
        await scene.ApplyAsync(records[..2], 0, 1);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => scene.ApplyAsync(records[2..], 2))).Fault;
        Assert.Equal((FaultKind.Poison, "dead-letters-full", 2L, "public.items"), (fault.Kind, fault.Code, fault.Offset, fault.Table));
        Assert.Equal(2, await scene.NextOffsetAsync());
        Assert.Equal(2, (await scene.LettersAsync()).Count);

        await scene.Desk.DiscardAsync(new(Key: "2"), "test", CancellationToken.None);
        await scene.ApplyAsync(records[2..], 2);
        Assert.Equal(3, await scene.NextOffsetAsync());
    }

    /// <summary>A source whose table has one row, of which only the key and one column are set.</summary>
    private sealed class OneRow(string id, string value) : ISourceRows
    {
        public Task<IReadOnlyList<string?[]?>> ReadAsync(
            TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<string?[]?>>([.. keys.Select(key => key[0] != id ? null : columns.Select(column => route.SourceColumns[column] switch
            {
                "id" => id,
                "v" => value,
                _ => null,
            }).ToArray())]);

        public IAsyncEnumerable<string[]> ReadKeysAsync(TableRoute route, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyCollection<uint>>([]);
    }
}

using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Tables without a key: one physical row a change, once (invariant A8).</summary>
public sealed class KeylessTests(PostgresFixture postgres)
{
    private const string Columns = "a int, b numeric, j json, x xml, p point";
    private static readonly LaneId Lane = new("t", 0);
    private ulong lsn = 1000;

    [Fact]
    public async Task Of_equal_rows_one_is_deleted_and_one_updated_a_change()
    {
        await using var target = await CreateAsync();
        var bag = target.Route("bag");
        var row = Row("1", "1.0", """{"k":  1}""", "<a>b</a>", "(1,2)");
        var batch = new BatchBuilder(Lane);
        for (var i = 0; i < 4; i++)
        {
            batch.AddKeyless(bag, ChangeOperation.Insert, Next(), 1, row);
        }

        batch.AddKeyless(bag, ChangeOperation.Delete, Next(), 1, row)
            .AddKeyless(bag, ChangeOperation.Update, Next(), 1, Row("2", "1.0", """{"k":  1}""", "<a>b</a>", "(1,2)"), row);
        var writer = await ClaimAsync(target);
        var counts = await writer.ApplyAsync(batch.Build(), CancellationToken.None);
        Assert.Equal((4L, 1L, 1L), (counts.Inserts, counts.Updates, counts.Deletes));
        Assert.Equal(["1|2", "2|1"], await target.Database.RowsAsync("select a, count(*) from bag group by a order by a"));
        Assert.Equal(["""{"k":  1}"""], await target.Database.RowsAsync("select distinct j::text from bag"));
    }

    [Fact]
    public async Task Nulls_and_values_that_are_equal_but_spelled_otherwise_are_told_apart()
    {
        await using var target = await CreateAsync($"alter table bag add kept text default 'own'; insert into bag values (null, 1.0, null, null, null, 'a'), (null, 1.00, null, null, null, 'b'), (0, 1.0, null, null, null, 'c')");
        var bag = target.Route("bag");
        await (await ClaimAsync(target)).ApplyAsync(new BatchBuilder(Lane)
            .AddKeyless(bag, ChangeOperation.Update, Next(), 1, Row(null, "3", null, null, null), Row(null, "1.00", null, null, null))
            .AddKeyless(bag, ChangeOperation.Delete, Next(), 1, Row("0", "1.0", null, null, null)).Build(), CancellationToken.None);
        Assert.Equal(["∅|1.0|a", "∅|3|b"], await target.Database.RowsAsync("select a, b, kept from bag order by kept"));
    }

    [Fact]
    public async Task A_run_that_repeats_is_recognised_to_the_row_even_among_rows_of_one_copy()
    {
        await using var target = await CreateAsync();
        var bag = target.Route("bag");
        var writer = await ClaimAsync(target);
        var copy = Next();
        await writer.ApplyAsync(Many(new BatchBuilder(Lane), bag, copy, run: 1, count: 2).Build(), CancellationToken.None);

        // The same run goes on within the COPY; then another repeats it, and has one row more.
        await writer.ApplyAsync(Many(new BatchBuilder(Lane, 2), bag, copy, run: 1, count: 1).Build(), CancellationToken.None);
        var counts = await writer.ApplyAsync(Many(new BatchBuilder(Lane, 3), bag, copy with { CommitLsn = 0 }, run: 2, count: 2).Build(), CancellationToken.None);
        Assert.Equal((2L, 0L), (counts.Replays, counts.Applied));
        counts = await (await ClaimAsync(target)).ApplyAsync(Many(new BatchBuilder(Lane, 5), bag, copy with { CommitLsn = 0 }, run: 2, count: 2).Build(), CancellationToken.None);
        Assert.Equal((1L, 1L), (counts.Replays, counts.Applied));
        Assert.Equal(4, await target.Database.ScalarAsync<long>("select count(*) from bag"));
    }

    [Fact]
    public async Task A_connector_that_may_begin_among_the_rows_of_a_copy_halts_the_lane_where_it_cannot_be_told_which_of_them_it_sends()
    {
        await using var target = await CreateAsync();
        var bag = target.Route("bag");
        var copy = Next();
        var writer = await ClaimAsync(target);
        await writer.ApplyAsync(Many(New(0), bag, copy, run: 1, count: 2).Build(), CancellationToken.None);

        // The third row, or the first once more.
        var fault = (await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(Many(New(2), bag, copy, run: 2, count: 2).Build(), CancellationToken.None))).Fault;
        Assert.Equal((FaultKind.Poison, "keyless-repeat", 2L, "public.bag"), (fault.Kind, fault.Code, fault.Offset, fault.Table));
        Assert.Contains("Copy the tables again", fault.Fix, StringComparison.Ordinal);
        Assert.Equal(2, (await ClaimAsync(target)).NextOffset);
        Assert.Equal(2, await target.Database.ScalarAsync<long>("select count(*) from bag"));
    }

    [Theory]
    [InlineData("a later transaction was sent")]
    [InlineData("it sends an earlier transaction before")]
    [InlineData("it sends an earlier change of the transaction before")]
    [InlineData("it is an update")]
    public async Task Such_a_connector_does_not_halt_the_lane_where_it_can_be_told(string because)
    {
        await using var target = await CreateAsync();
        var bag = target.Route("bag");
        var (earlier, begun, copy, later) = (Next(), Next(), Next(), Next());
        begun = begun with { TransactionId = copy.TransactionId };
        var (isUpdate, row) = (because == "it is an update", Row("1", "1", null, null, null));
        BatchBuilder Copy(BatchBuilder batch, ulong run) => isUpdate ? batch.AddKeyless(bag, ChangeOperation.Update, copy, run, row, row) : Many(batch, bag, copy, run, count: 2);
        await (await ClaimAsync(target)).ApplyAsync(Copy(Many(Many(New(0), bag, earlier, run: 1, count: 1), bag, begun, run: 1, count: 1), 1).Build(), CancellationToken.None);
        var rows = await target.Database.ScalarAsync<long>("select count(*) from bag");
        var writer = await ClaimAsync(target);
        if (because.StartsWith("a later", StringComparison.Ordinal))
        {
            await writer.ApplyAsync(Many(New(writer.NextOffset), bag, later, run: 1, count: 1).Build(), CancellationToken.None);
            rows++;
        }
        else if (!isUpdate)
        {
            var before = because.EndsWith("earlier transaction before", StringComparison.Ordinal) ? earlier : begun;
            Assert.Equal(1, (await writer.ApplyAsync(Many(New(writer.NextOffset), bag, before, run: 2, count: 1).Build(), CancellationToken.None)).Replays);
        }

        // Whether in the same claim or after it.
        writer = await ClaimAsync(target);
        var counts = await writer.ApplyAsync(Copy(New(writer.NextOffset), 2).Build(), CancellationToken.None);
        Assert.Equal((isUpdate ? 1L : 2L, 0L), (counts.Replays, counts.Applied));
        Assert.Equal(rows, await target.Database.ScalarAsync<long>("select count(*) from bag"));
    }

    [Fact]
    public async Task A_repeat_without_a_known_commit_is_told_from_a_new_transaction()
    {
        await using var target = await CreateAsync();
        var bag = target.Route("bag");
        var writer = await ClaimAsync(target);
        SourcePosition early = new(100, 150, 5), late = new(200, 120, 6);
        await writer.ApplyAsync(new BatchBuilder(Lane).AddKeyless(bag, ChangeOperation.Insert, early, 1, Row("5", null, null, null, null))
            .AddKeyless(bag, ChangeOperation.Insert, late, 1, Row("6", null, null, null, null)).Build(), CancellationToken.None);
        var counts = await writer.ApplyAsync(new BatchBuilder(Lane, 2)
            .AddKeyless(bag, ChangeOperation.Insert, early with { CommitLsn = 0 }, 2, Row("5", null, null, null, null))
            .AddKeyless(bag, ChangeOperation.Insert, late, 2, Row("6", null, null, null, null)).Build(), CancellationToken.None);
        Assert.Equal((2L, 0L), (counts.Replays, counts.Applied));
        counts = await writer.ApplyAsync(new BatchBuilder(Lane, 4)
            .AddKeyless(bag, ChangeOperation.Insert, new SourcePosition(0, 130, 7), 3, Row("7", null, null, null, null)).Build(), CancellationToken.None);
        Assert.Equal((0L, 1L), (counts.Replays, counts.Applied));
        Assert.Equal(["5", "6", "7"], await target.Database.RowsAsync("select a from bag order by a"));
    }

    [Fact]
    public async Task A_row_the_target_lacks_halts_the_lane_behind_what_precedes_it()
    {
        await using var target = await CreateAsync();
        var bag = target.Route("bag");
        var row = Row("1", null, null, null, null);
        var writer = await ClaimAsync(target);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(new BatchBuilder(Lane)
            .AddKeyless(bag, ChangeOperation.Insert, Next(), 1, row).AddKeyless(bag, ChangeOperation.Delete, Next(), 1, row)
            .AddKeyless(bag, ChangeOperation.Delete, Next(), 1, row).AddKeyless(bag, ChangeOperation.Insert, Next(), 1, row).Build(), CancellationToken.None))).Fault;
        Assert.Equal((FaultKind.Poison, "keyless-row-missing", 2L, "public.bag"), (fault.Kind, fault.Code, fault.Offset, fault.Table));
        Assert.Equal(2, (await ClaimAsync(target)).NextOffset);
    }

    [Theory]
    [InlineData("keyless-run")]
    [InlineData("keyless-partitions")]
    [InlineData("keyless-column")]
    [InlineData("keyless-snapshot")]
    public async Task What_cannot_be_applied_exactly_once_halts_the_lane(string code)
    {
        await using var target = await CreateAsync();
        var batch = new BatchBuilder(Lane).AddKeyless(
            target.Route("bag"), code == "keyless-snapshot" ? ChangeOperation.SnapshotRow : ChangeOperation.Insert, code == "keyless-snapshot" ? SourcePosition.None : Next(),
            code == "keyless-run" ? 0UL : 1, Row("1", code == "keyless-column" ? BatchBuilder.Unavailable : null, null, null, null)).Build();
        var writer = await ClaimAsync(target, partitions: code == "keyless-partitions" ? 2 : 1);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(batch, CancellationToken.None))).Fault;
        Assert.Equal((FaultKind.Poison, code, 0L), (fault.Kind, fault.Code, fault.Offset));
        Assert.NotEmpty(fault.Fix!);
        Assert.Equal(0, await target.Database.ScalarAsync<long>("select count(*) from bag"));
    }

    [Fact]
    public async Task A_snapshot_begun_again_halts_the_lane_and_the_embedded_logs_does_not()
    {
        await using var target = await CreateAsync();
        var bag = target.Route("bag");
        var row = Row("1", null, null, null, null);
        var writer = await ClaimAsync(target);
        await writer.ApplyAsync(Snapshot(0, 500, 1), CancellationToken.None);
        await writer.ApplyAsync(Snapshot(1, 500, 1), CancellationToken.None);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(Snapshot(2, 500, 2), CancellationToken.None))).Fault;
        Assert.Equal("keyless-snapshot", fault.Code);

        // The embedded log empties the tables before it sends their rows again.
        var embedded = await target.Store.ClaimAsync(new LaneId("e", 0), new LogIdentity("first", "", 4) { Ephemeral = true }, 0, CancellationToken.None);
        await embedded.ApplyAsync(Snapshot(0, 500, 0, "e"), CancellationToken.None);
        await target.Database.ExecuteAsync("delete from bag");
        embedded = await target.Store.ClaimAsync(new LaneId("e", 0), new LogIdentity("second", "", 4) { Ephemeral = true }, 0, CancellationToken.None);
        await embedded.ApplyAsync(Snapshot(0, 600, 0, "e"), CancellationToken.None);
        Assert.Equal(1, await target.Database.ScalarAsync<long>("select count(*) from bag"));

        ChangeBatch Snapshot(long offset, ulong at, ulong run, string topic = "t") => new BatchBuilder(new LaneId(topic, 0), offset)
            .AddKeyless(bag, ChangeOperation.SnapshotRow, new SourcePosition(0, at, 7), run, row).Build();
    }

    [Theory]
    [InlineData("before insert on bag")]
    [InlineData("after insert on cdc_migrator.keyless_transaction")]
    [InlineData("deferred after insert on bag")]
    public async Task A_session_killed_at_any_write_leaves_all_or_nothing(string when)
    {
        await using var target = await CreateAsync();
        var deferred = when.StartsWith("deferred ", StringComparison.Ordinal);
        await target.Database.ExecuteAsync($"""
            create function die() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return new; end';
            create {(deferred ? "constraint" : "")} trigger die {when.Replace("deferred ", "", StringComparison.Ordinal)} {(deferred ? "deferrable initially deferred" : "")} for each row execute function die();
            alter table {when[(when.LastIndexOf(' ') + 1)..]} enable always trigger die
            """);
        var batch = Many(new BatchBuilder(Lane), target.Route("bag"), Next(), run: 1, count: 3).Build();
        await Assert.ThrowsAsync<FaultException>(async () => await (await ClaimAsync(target)).ApplyAsync(batch, CancellationToken.None));
        await target.Database.ExecuteAsync("drop function die cascade");
        var again = await ClaimAsync(target);
        Assert.Equal((0L, 0L), (again.NextOffset, await target.Database.ScalarAsync<long>("select count(*) from bag")));
        await again.ApplyAsync(batch, CancellationToken.None);
        Assert.Equal(3, await target.Database.ScalarAsync<long>("select count(*) from bag"));
    }

    private static Task<ILaneWriter> ClaimAsync(LaneTarget target, int partitions = 1) =>
        target.Store.ClaimAsync(Lane, new LogIdentity("cluster", "topic", partitions), 0, CancellationToken.None);

    private static (string, string?)[] Row(string? a, string? b, string? j, string? x, string? p) => [("a", a), ("b", b), ("j", j), ("x", x), ("p", p)];

    private static BatchBuilder New(long offset) => new BatchBuilder(Lane, offset).BeginningWithinLsn();

    private static BatchBuilder Many(BatchBuilder batch, TableRoute bag, SourcePosition at, ulong run, int count)
    {
        for (; count > 0; count--)
        {
            batch.AddKeyless(bag, ChangeOperation.Insert, at, run, Row("1", "1", null, null, null));
        }

        return batch;
    }

    private SourcePosition Next() => new(lsn += 10, lsn, (uint)lsn);

    private async Task<LaneTarget> CreateAsync(string sql = "") =>
        await LaneTarget.CreateAsync(await postgres.CreateTargetAsync($"create table bag({Columns}); {sql}"), ["public.bag"], keyless: true);
}

using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Truncated tables (invariant A8).</summary>
public sealed class TruncateTests(PostgresFixture postgres)
{
    private static readonly LaneId Lane = new("t", 0);
    private static readonly LogIdentity OnePartition = new("cluster", "topic", 1);

    [Fact]
    public async Task A_truncate_takes_what_precedes_it_in_its_batch_and_before_and_leaves_what_follows()
    {
        await using var target = await CreateAsync("insert into users values (7, 'old', 'x')");
        var users = target.Route("users");
        var writer = await ClaimAsync(target);
        var counts = await writer.ApplyAsync(new BatchBuilder(Lane)
            .Insert(users, ("id", "1"), ("mail", "m"), ("name", "before")).Update(users, ("id", "7"), ("mail", BatchBuilder.Unavailable), ("name", "y"))
            .Truncate(users).Insert(users, ("id", "2"), ("mail", "m"), ("name", "behind")).Delete(users, ("id", "3")).Build(), CancellationToken.None);
        Assert.Equal(["2|m|behind"], await target.Database.RowsAsync("select * from users"));
        Assert.Equal(5, writer.NextOffset);
        Assert.Equal((2L, 1L, 2L), (counts.Inserts, counts.Updates, counts.Deletes));
    }

    [Fact]
    public async Task A_row_of_the_same_key_behind_a_truncate_keeps_nothing_of_what_it_was()
    {
        await using var target = await CreateAsync("alter table users add kept text default 'd'; insert into users values (1, 'a', 'x', 'own')");
        var users = target.Route("users");
        await (await ClaimAsync(target)).ApplyAsync(new BatchBuilder(Lane)
            .Update(users, ("id", "1"), ("mail", "b"), ("name", "y")).Truncate(users).Truncate(users).Insert(users, ("id", "1"), ("mail", "c"), ("name", null)).Build(), CancellationToken.None);
        Assert.Equal(["1|c|∅|d"], (await target.Database.RowsAsync("select id, mail, coalesce(name, '∅'), kept from users")));
    }

    [Fact]
    public async Task A_repeated_truncate_is_skipped_even_at_the_lanes_own_position()
    {
        // Repeats behind the truncate are recognised too; were it applied again, nothing would bring the rows back.
        await using var target = await CreateAsync("");
        var users = target.Route("users");
        var writer = await ClaimAsync(target);
        var at = new SourcePosition(20, 20, 0);
        await writer.ApplyAsync(new BatchBuilder(Lane).Add(users, ChangeOperation.Truncate, KeyChangeHalf.None, at).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(Lane, 1).Snapshot(users, ("id", "5"), ("mail", "s"), ("name", "s")).Build(), CancellationToken.None);
        var repeated = await writer.ApplyAsync(new BatchBuilder(Lane, 2).Add(users, ChangeOperation.Truncate, KeyChangeHalf.None, at).Build(), CancellationToken.None);
        Assert.Equal((1L, 0L), (repeated.Replays, repeated.Applied));
        Assert.Equal(["5"], await target.Database.RowsAsync("select id from users"));
    }

    [Fact]
    public async Task A_referenced_table_is_emptied_and_no_foreign_key_fires()
    {
        await using var target = await CreateAsync("create table orders(id int primary key, u int references users on delete cascade); insert into users values (1, 'a', 'x'); insert into orders values (1, 1)");
        await (await ClaimAsync(target)).ApplyAsync(new BatchBuilder(Lane).Truncate(target.Route("users")).Build(), CancellationToken.None);
        Assert.Equal(["0|1"], await target.Database.RowsAsync("select (select count(*) from users), (select count(*) from orders)"));
    }

    [Theory]
    [InlineData("before delete on users")]
    [InlineData("deferred after delete on users")]
    public async Task A_session_killed_in_a_truncate_leaves_all_or_nothing(string when)
    {
        await using var target = await CreateAsync("insert into users values (1, 'a', 'x'), (2, 'b', 'y')");
        var deferred = when.StartsWith("deferred ", StringComparison.Ordinal);
        await target.Database.ExecuteAsync($"""
            create function die() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return old; end';
            create {(deferred ? "constraint" : "")} trigger die {when.Replace("deferred ", "", StringComparison.Ordinal)} {(deferred ? "deferrable initially deferred" : "")} for each row execute function die();
            alter table users enable always trigger die
            """);
        var batch = new BatchBuilder(Lane).Truncate(target.Route("users")).Insert(target.Route("users"), ("id", "9"), ("mail", "z"), ("name", "z")).Build();
        var fault = await Assert.ThrowsAsync<FaultException>(async () => await (await ClaimAsync(target)).ApplyAsync(batch, CancellationToken.None));
        Assert.Contains(fault.Fault.Kind, new[] { FaultKind.Transient, FaultKind.Unreachable });
        Assert.Equal(2, await target.Database.ScalarAsync<long>("select count(*) from users"));
        await target.Database.ExecuteAsync("drop function die cascade");
        var again = await ClaimAsync(target);
        Assert.Equal(0, again.NextOffset);
        await again.ApplyAsync(batch, CancellationToken.None);
        Assert.Equal(["9"], await target.Database.RowsAsync("select id from users"));
    }

    [Fact]
    public async Task Without_the_source_a_truncate_in_several_partitions_halts_the_lane_behind_what_precedes_it()
    {
        await using var target = await CreateAsync("");
        var users = target.Route("users");
        var writer = await target.ClaimAsync();
        var fault = await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(new BatchBuilder(Lane)
            .Insert(users, ("id", "1"), ("mail", "m")).Nothing().Truncate(users).Insert(users, ("id", "2")).Build(), CancellationToken.None));
        Assert.Equal((FaultKind.Poison, "truncate", 2L, "public.users"), (fault.Fault.Kind, fault.Fault.Code, fault.Fault.Offset, fault.Fault.Table));
        Assert.Contains("onePartition", fault.Fault.Fix, StringComparison.Ordinal);
        Assert.Equal(2, (await target.ClaimAsync()).NextOffset);
        Assert.Equal(["1"], await target.Database.RowsAsync("select id from users"));
    }

    [Fact]
    public async Task In_several_partitions_a_truncate_leaves_what_other_lanes_brought_behind_it_and_shuts_out_what_they_bring_from_before()
    {
        await using var source = await postgres.CreateSourceAsync("create table users(id int primary key, mail text, name text); insert into users values (12, 'behind', 'x'), (20, 'again', 'now')");
        await using var reading = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync("""
            create table users(id int primary key, mail text unique, name text); insert into users values (1, 'a', 'old'), (20, 'stale', 'old'), (2, 'b', 'old')
            """), ["public.users"], new SourceRows(reading, TimeProvider.System));
        var users = target.Route("users");
        var (ahead, behind) = (await ClaimAsync(target, 1), await ClaimAsync(target, 2));
        await ahead.ApplyAsync(new BatchBuilder(new LaneId("t", 1)).Add(users, ChangeOperation.Insert, KeyChangeHalf.None, new SourcePosition(600, 610, 7), ("id", "12"), ("mail", "behind"), ("name", "x")).Build(), CancellationToken.None);
        var lane = await ClaimAsync(target, 0);
        var truncate = new SourcePosition(0, 500, 6);
        var waiting = await Assert.ThrowsAsync<FaultException>(() => lane.ApplyAsync(Truncate(0), CancellationToken.None));
        Assert.Equal("lanes-unclaimed", waiting.Fault.Code);
        await ClaimAsync(target, 3);
        lane = await ClaimAsync(target, 0);
        var counts = await lane.ApplyAsync(Truncate(0), CancellationToken.None);
        Assert.Equal((1L, 0L), (counts.Deletes, counts.Replays));
        Assert.Equal(["12", "20"], await target.Database.RowsAsync("select id from users order by id"));

        // The lane behind does not know yet: it cannot write until it does.
        var before = new BatchBuilder(new LaneId("t", 2)).Add(users, ChangeOperation.Insert, KeyChangeHalf.None, new SourcePosition(300, 310, 4), ("id", "3"), ("mail", "late"), ("name", "x"))
            .Add(users, ChangeOperation.SnapshotRow, KeyChangeHalf.None, SourcePosition.None, ("id", "2"), ("mail", "b"), ("name", "old"))
            .Add(users, ChangeOperation.Insert, KeyChangeHalf.None, new SourcePosition(600, 620, 8), ("id", "20"), ("mail", "again"), ("name", "now")).Build();
        Assert.Equal(FaultKind.Fenced, (await Assert.ThrowsAsync<FaultException>(() => behind.ApplyAsync(before, CancellationToken.None))).Fault.Kind);
        counts = await (await ClaimAsync(target, 2)).ApplyAsync(before, CancellationToken.None);
        Assert.Equal((1L, 1L), (counts.Inserts, counts.Replays));
        Assert.Equal(["12|behind|x", "20|again|now"], await target.Database.RowsAsync("select * from users order by id"));

        // Repeated, it deletes nothing again.
        await source.ExecuteAsync("delete from users");
        Assert.Equal(1, (await lane.ApplyAsync(Truncate(1), CancellationToken.None)).Replays);
        Assert.Equal(2, await target.Database.ScalarAsync<long>("select count(*) from users"));

        ChangeBatch Truncate(long offset) => new BatchBuilder(Lane, offset).Add(users, ChangeOperation.Truncate, KeyChangeHalf.None, truncate).Build();
    }

    [Fact]
    public async Task A_snapshots_row_behind_a_truncate_of_another_lane_is_left_out_though_it_is_nothing_but_its_key()
    {
        const string Tags = "create table tags(a int, b text, primary key (a, b))";
        await using var source = await postgres.CreateSourceAsync($"{Tags}; insert into tags values (20, 'again')");
        await using var reading = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Tags), ["public.tags"], new SourceRows(reading, TimeProvider.System));
        var tags = target.Route("tags");
        for (var partition = 3; partition >= 0; partition--)
        {
            await ClaimAsync(target, partition);
        }

        await (await ClaimAsync(target, 0)).ApplyAsync(new BatchBuilder(Lane).Add(tags, ChangeOperation.Truncate, KeyChangeHalf.None, new SourcePosition(0, 500, 6)).Build(), CancellationToken.None);
        await (await ClaimAsync(target, 2)).ApplyAsync(new BatchBuilder(new LaneId("t", 2))
            .Snapshot(tags, ("a", "1"), ("b", "old")).Snapshot(tags, ("a", "20"), ("b", "again")).Snapshot(tags, ("a", "2"), ("b", "old"))
            .Add(tags, ChangeOperation.Delete, KeyChangeHalf.None, new SourcePosition(600, 610, 7), ("a", "2"), ("b", "old")).Build(), CancellationToken.None);
        Assert.Equal(["20|again"], await target.Database.RowsAsync("select * from tags"));
    }

    private static Task<ILaneWriter> ClaimAsync(LaneTarget target, int partition) =>
        target.Store.ClaimAsync(new LaneId("t", partition), LaneTarget.Identity, 0, CancellationToken.None);

    private static Task<ILaneWriter> ClaimAsync(LaneTarget target) => target.Store.ClaimAsync(Lane, OnePartition, 0, CancellationToken.None);

    private async Task<LaneTarget> CreateAsync(string sql) => await LaneTarget.CreateAsync(
        await postgres.CreateTargetAsync($"create table users(id int primary key, mail text unique, name text); {sql}"), ["public.users"]);
}

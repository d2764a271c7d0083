using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Rows that should be new go straight into their table. What is written so has another transaction id than progress: the savepoint's.</summary>
public sealed class DirectCopyTests(PostgresFixture postgres)
{
    private const int Many = 1200;
    private const string CopiedDirectly = "select count(*) from items where xmin <> (select xmin from cdc_migrator.progress where migration = 'test')";
    private static readonly LaneId Lane = new("t", 0);

    [Fact]
    public async Task New_rows_are_copied_straight_into_the_table()
    {
        await using var target = await CreateAsync();
        var writer = await target.ClaimAsync();
        var counts = await writer.ApplyAsync(Inserts(target).Build(), CancellationToken.None);
        Assert.Equal(Many, counts.Inserts);
        Assert.Equal(Many, await target.Database.ScalarAsync<long>(CopiedDirectly));
        Assert.Equal(Expected(), await target.Database.RowsAsync("select id, v from items order by id"));
    }

    [Fact]
    public async Task A_row_that_is_there_already_sends_all_of_them_the_other_way_and_the_next_batches_too()
    {
        await using var target = await CreateAsync();
        await target.Database.ExecuteAsync("insert into items values (700, 'stale')");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(Inserts(target).Build(), CancellationToken.None);
        Assert.Equal(0L, await target.Database.ScalarAsync<long>(CopiedDirectly));
        Assert.Equal(Expected(), await target.Database.RowsAsync("select id, v from items order by id"));

        for (var n = 1; n <= 3; n++)
        {
            await target.Database.ExecuteAsync("delete from items");
            await writer.ApplyAsync(Inserts(target, writer.NextOffset).Build(), CancellationToken.None);
            Assert.Equal(n < 3 ? 0L : Many, await target.Database.ScalarAsync<long>(CopiedDirectly));
            Assert.Equal(Expected(), await target.Database.RowsAsync("select id, v from items order by id"));
        }
    }

    [Fact]
    public async Task Keys_met_twice_in_a_batch_end_as_their_last_change_says()
    {
        await using var target = await CreateAsync();
        await target.Database.ExecuteAsync("insert into items values (5000, 'old'), (5001, 'old')");
        var items = target.Route("items");
        var builder = Inserts(target);
        builder.Update(items, ("id", "1"), ("v", "changed")).Delete(items, ("id", "2")).Delete(items, ("id", "3")).Insert(items, ("id", "3"), ("v", "again"));
        builder.Delete(items, ("id", "5000")).Insert(items, ("id", "5000"), ("v", "anew")).Update(items, ("id", "5001"), ("v", "new"));
        await (await target.ClaimAsync()).ApplyAsync(builder.Build(), CancellationToken.None);
        var expected = Expected();
        expected[0] = "1|changed";
        expected[2] = "3|again";
        expected.RemoveAt(1);
        Assert.Equal([.. expected, "5000|anew", "5001|new"], await target.Database.RowsAsync("select id, v from items order by id"));

        // All but the deleted one and that inserted again, which take the way that replaces rows, as do those that were there.
        Assert.Equal(Many - 2, await target.Database.ScalarAsync<long>(CopiedDirectly));
    }

    [Fact]
    public async Task Snapshot_rows_over_rows_that_were_streamed_before_replace_them()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(Lane).Insert(items, ("id", "600"), ("v", "streamed")).Build(), CancellationToken.None);
        var snapshot = new BatchBuilder(Lane, writer.NextOffset);
        for (var i = 1; i <= Many; i++)
        {
            snapshot.Snapshot(items, ("id", $"{i}"), ("v", Value(i)));
        }

        var counts = await writer.ApplyAsync(snapshot.Build(), CancellationToken.None);
        Assert.Equal(Many, counts.SnapshotRows);
        Assert.Equal(Expected(), await target.Database.RowsAsync("select id, v from items order by id"));
    }

    [Fact]
    public async Task Killed_within_the_copy_it_leaves_nothing_and_the_next_owner_applies_it_again()
    {
        await using var target = await CreateAsync();
        await target.Database.ExecuteAsync("""
            create function die() returns trigger language plpgsql as 'begin if new.id = 900 then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); end if; return new; end';
            create trigger die before insert on items for each row execute function die();
            alter table items enable always trigger die
            """);
        var fault = await Assert.ThrowsAsync<FaultException>(async () => await (await target.ClaimAsync()).ApplyAsync(Inserts(target).Build(), CancellationToken.None));
        Assert.Contains(fault.Fault.Kind, new[] { FaultKind.Transient, FaultKind.Unreachable });
        Assert.Equal(0L, await target.Database.ScalarAsync<long>("select count(*) from items"));

        await target.Database.ExecuteAsync("drop function die cascade");
        var writer = await target.ClaimAsync();
        Assert.Equal(0, writer.NextOffset);
        await writer.ApplyAsync(Inserts(target).Build(), CancellationToken.None);
        Assert.Equal(Expected(), await target.Database.RowsAsync("select id, v from items order by id"));
    }

    [Fact]
    public async Task A_fenced_writer_copies_nothing()
    {
        await using var target = await CreateAsync();
        var old = await target.ClaimAsync();
        var present = await target.ClaimAsync();
        var fault = await Assert.ThrowsAsync<FaultException>(() => old.ApplyAsync(Inserts(target).Build(), CancellationToken.None));
        Assert.Equal(FaultKind.Fenced, fault.Fault.Kind);
        Assert.Equal(0L, await target.Database.ScalarAsync<long>("select count(*) from items"));
        await present.ApplyAsync(Inserts(target).Build(), CancellationToken.None);
        Assert.Equal(Many, await target.Database.ScalarAsync<long>("select count(*) from items"));
    }

    [Theory]
    [InlineData("alter table items drop constraint items_pkey")]
    [InlineData("alter table items drop constraint items_pkey; alter table items add primary key (id) deferrable")]
    public async Task Nothing_is_copied_where_no_key_would_refuse_a_row_that_is_there(string change)
    {
        await using var target = await CreateAsync();
        await target.Database.ExecuteAsync($"insert into items values (700, 'there'); {change}");
        var writer = await target.ClaimAsync();
        await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(Inserts(target).Build(), CancellationToken.None));
        Assert.Equal(["700|there"], await target.Database.RowsAsync("select id, v from items"));
    }

    [Fact]
    public async Task A_bad_value_among_new_rows_is_named_and_what_precedes_it_is_written()
    {
        await using var target = await CreateAsync("create table items (id bigint primary key, v varchar(10))");
        var items = target.Route("items");
        var builder = Inserts(target);
        builder.Insert(items, ("id", "9000"), ("v", "much too long")).Insert(items, ("id", "9001"), ("v", "behind"));
        var fault = await Assert.ThrowsAsync<FaultException>(async () => await (await target.ClaimAsync()).ApplyAsync(builder.Build(), CancellationToken.None));
        Assert.Equal((FaultKind.Poison, (long?)Many), (fault.Fault.Kind, fault.Fault.Offset));
        Assert.Equal(Expected(), await target.Database.RowsAsync("select id, v from items order by id"));
    }

    [Fact]
    public async Task A_staging_table_made_within_a_transaction_that_failed_is_made_again()
    {
        await using var target = await CreateAsync("create table items (id bigint primary key, v varchar(10))");
        await target.Database.ExecuteAsync("insert into items values (700, 'there')");
        var writer = await target.ClaimAsync();
        var bad = Inserts(target).Insert(target.Route("items"), ("id", "9000"), ("v", "much too long")).Build();
        await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(bad, CancellationToken.None));

        writer = await target.ClaimAsync();
        await writer.ApplyAsync(Inserts(target, writer.NextOffset).Build(), CancellationToken.None);
        Assert.Equal(Expected(), await target.Database.RowsAsync("select id, v from items order by id"));
    }

    [Fact]
    public async Task A_unique_value_handed_to_a_new_row_within_the_batch_goes_through()
    {
        await using var target = await CreateAsync("create table items (id bigint primary key, v text unique)");
        await target.Database.ExecuteAsync("insert into items values (5000, 'wanted')");
        var items = target.Route("items");
        var builder = Inserts(target);
        builder.Update(items, ("id", "5000"), ("v", "freed")).Insert(items, ("id", "5001"), ("v", "wanted"));
        await (await target.ClaimAsync()).ApplyAsync(builder.Build(), CancellationToken.None);
        Assert.Equal(["5000|freed", "5001|wanted"], await target.Database.RowsAsync("select id, v from items where id >= 5000 order by id"));
    }

    private static BatchBuilder Inserts(LaneTarget target, long from = 0)
    {
        var builder = new BatchBuilder(Lane, from);
        for (var i = 1; i <= Many; i++)
        {
            builder.Insert(target.Route("items"), ("id", $"{i}"), ("v", Value(i)));
        }

        return builder;
    }

    private static string Value(int i) => $"v{i}\t\\";

    private static List<string> Expected() => [.. Enumerable.Range(1, Many).Select(i => $"{i}|{Value(i)}")];

    private async Task<LaneTarget> CreateAsync(string table = "create table items (id bigint primary key, v text)") =>
        await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(table), ["public.items"]);
}

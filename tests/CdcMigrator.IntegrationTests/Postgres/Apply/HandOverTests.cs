using System.Globalization;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Unique values that many rows hand over between lanes are settled in groups (invariant A6).</summary>
public sealed class HandOverTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private const string Users = "create table users(id int primary key, mail text unique, name text)";

    /// <summary>As many as one wants to measure with: <c>CDCM_HANDOVERS=5000</c>.</summary>
    private static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("CDCM_HANDOVERS") ?? "200", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Values_that_many_rows_hand_over_cost_few_questions_to_the_source()
    {
        // Rows 1 to n gave their values to rows n+1 to 2n; the lane of the former stands still.
        await using var source = await postgres.CreateSourceAsync(
            $"{Users}; insert into users select i, 'new' || i, 'x' from generate_series(1, {Count}) i; insert into users select {Count} + i, 'm' || i, 'y' from generate_series(1, {Count}) i");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        var counted = new CountedRows(new SourceRows(rows, TimeProvider.System));
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"{Users}; insert into users select i, 'm' || i, 'x' from generate_series(1, {Count}) i"), ["public.users"], counted);
        var users = target.Route("users");
        var still = await target.ClaimAsync(0);
        var taker = await target.ClaimAsync(1);
        var (taken, given) = (new BatchBuilder(new LaneId("t", 1), 0, firstLsn: 100_000), new BatchBuilder(new LaneId("t", 0)));
        for (var i = 1; i <= Count; i++)
        {
            taken.Insert(users, ("id", $"{Count + i}"), ("mail", $"m{i}"), ("name", "y"));
            given.Update(users, ("id", $"{i}"), ("mail", $"new{i}"), ("name", BatchBuilder.Unavailable));
        }

        var started = TimeProvider.System.GetTimestamp();
        await taker.ApplyAsync(taken.Build(), CancellationToken.None);
        output.WriteLine($"{Count / TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} values a second, {counted.Reads} questions");
        Assert.InRange(counted.Reads, 1, 3);
        Assert.Equal([$"{Count}|{Count + 1}"], await target.Database.RowsAsync("select count(*), min(id) from users where name = 'y'"));

        await still.ApplyAsync(given.Build(), CancellationToken.None);
        Assert.Equal(await source.RowsAsync("select * from users order by id"), await target.Database.RowsAsync("select * from users order by id"));
    }

    [Fact]
    public async Task Of_a_group_only_holders_that_lost_their_value_go_and_what_a_newer_row_holds_is_superseded()
    {
        // 1 gave a to 11. 2 gave b to 12 and has it again. 3 gave c to 13, which gave it to 14. 5 has e, which 15 had for a moment and is gone.
        await using var source = await postgres.CreateSourceAsync($"{Users}; insert into users values (1, 'z', 'x'), (2, 'b', 'x'), (3, 'y', 'x'), (5, 'e', 'x'), (11, 'a', 'n'), (12, 'free', 'n'), (13, 'w', 'n'), (14, 'c', 'n')");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"{Users}; insert into users values (1, 'a', 'x'), (2, 'b', 'x'), (3, 'c', 'x'), (5, 'e', 'x')"), ["public.users"], new SourceRows(rows, TimeProvider.System));
        var users = target.Route("users");
        await target.ClaimAsync(0);
        var taker = await target.ClaimAsync(1);
        await taker.ApplyAsync(new BatchBuilder(new LaneId("t", 1))
            .Insert(users, ("id", "11"), ("mail", "a"), ("name", "n"))
            .Insert(users, ("id", "12"), ("mail", "b"), ("name", "then"))
            .Insert(users, ("id", "13"), ("mail", "c"), ("name", "then"))
            .Insert(users, ("id", "15"), ("mail", "e"), ("name", "then"))
            .Build(), CancellationToken.None);

        Assert.Equal(["2|b|x", "5|e|x", "11|a|n", "12|free|n", "13|c|then"], await target.Database.RowsAsync("select * from users order by id"));
        Assert.Equal(4, taker.NextOffset);
    }

    [Fact]
    public async Task Two_lanes_that_want_all_of_each_others_values_at_once_both_get_through()
    {
        const int Rows = 300;
        await using var source = await postgres.CreateSourceAsync(
            $"{Users}; insert into users select i, 'm' || (i + {Rows} - 1) % (2 * {Rows}) + 1, 'now' from generate_series(1, 2 * {Rows}) i");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync($"{Users}; insert into users select i, 'm' || i, 'then' from generate_series(1, 2 * {Rows}) i"), ["public.users"], new SourceRows(rows, TimeProvider.System));
        var users = target.Route("users");

        await Task.WhenAll(ApplyAsync(0), ApplyAsync(1));

        Assert.Equal(await source.RowsAsync("select * from users order by id"), await target.Database.RowsAsync("select * from users order by id"));

        async Task ApplyAsync(int partition)
        {
            while (true)
            {
                var writer = await target.ClaimAsync(partition);
                try
                {
                    var batch = new BatchBuilder(writer.Lane, writer.NextOffset);
                    for (var i = (int)writer.NextOffset; i < Rows; i++)
                    {
                        var id = (partition * Rows) + i + 1;
                        batch.Update(users, ("id", $"{id}"), ("mail", $"m{((id + Rows - 1) % (2 * Rows)) + 1}"), ("name", "now"));
                    }

                    await writer.ApplyAsync(batch.Build(), CancellationToken.None);
                    return;
                }
                catch (FaultException fault) when (fault.Fault.Kind == FaultKind.Transient)
                {
                    output.WriteLine($"{partition}: {fault.Fault.Code}");
                }
            }
        }
    }

    [Theory]
    [InlineData("create table t(id int primary key, v text); create unique index on t (lower(v)) where id > 0", "A", "a", "b")]
    [InlineData("create table t(id int primary key, v text, g text generated always as (upper(v)) stored unique)", "q", "q", "r")]
    [InlineData("create table t(id int primary key, v int4range, exclude using gist (v with &&))", "[1,5)", "[4,6)", "[9,10)")]
    [InlineData("create table t(\"n\" numeric primary key, v text, unique (v)); alter table t rename n to id", "q", "q", "r")]
    public async Task Whatever_index_forbids_it_a_holder_that_is_no_longer_in_the_way_gives_way(string table, string held, string wanted, string now)
    {
        await using var source = await postgres.CreateSourceAsync(
            $"{table}; insert into t (id, v) values (1, '{now}'), (2, '{wanted}'), (3, null)");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        var counted = new CountedRows(new SourceRows(rows, TimeProvider.System));
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync($"{table}; insert into t (id, v) values (1, '{held}')"), ["public.t"], counted);
        await target.ClaimAsync(0);
        var taker = await target.ClaimAsync(1);
        await taker.ApplyAsync(new BatchBuilder(new LaneId("t", 1))
            .Insert(target.Route("t"), ("id", "2"), ("v", wanted)).Insert(target.Route("t"), ("id", "3"), ("v", null)).Build(), CancellationToken.None);

        Assert.Equal([$"2|{wanted}", "3|"], (await target.Database.RowsAsync("select id, v from t order by id")).Select(row => row.Replace("∅", "", StringComparison.Ordinal)));
        Assert.Equal(1, counted.Reads);
    }
}

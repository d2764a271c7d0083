using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>What a batch leaves in the target (invariant A3).</summary>
public sealed class NetEffectTests(PostgresFixture postgres)
{
    private const string Items = "create table items(id int primary key, name text, big text, note text default 'none')";
    private static readonly LaneId Lane = new("t", 0);

    [Fact]
    public async Task Inserts_updates_and_deletes_of_one_batch_leave_the_last_state_of_each_key()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        var counts = await writer.ApplyAsync(new BatchBuilder(Lane)
            .Insert(items, ("id", "1"), ("name", "a"), ("big", null), ("note", "x"))
            .Insert(items, ("id", "2"), ("name", "b"), ("big", "B"), ("note", "y"))
            .Update(items, ("id", "1"), ("name", "a2"), ("big", BatchBuilder.Unavailable), ("note", "x"))
            .Delete(items, ("id", "2"))
            .Nothing()
            .Insert(items, ("id", "3"), ("name", "c"), ("big", "C"))
            .Build(), CancellationToken.None);

        Assert.Equal(["1|a2|∅|x", "3|c|C|none"], await target.Database.RowsAsync("select id, name, big, note from items order by id"));
        Assert.Equal((3, 1, 1), (counts.Inserts, counts.Updates, counts.Deletes));
        Assert.Equal(6, writer.NextOffset);
        Assert.Equal(["6"], await target.Database.RowsAsync("select next_offset from cdc_migrator.progress"));
    }

    [Fact]
    public async Task A_partial_update_leaves_the_column_it_does_not_carry_alone()
    {
        await using var target = await CreateAsync("insert into items values (1, 'a', 'kept', 'n'), (2, 'b', 'kept too', 'n')");
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(Lane)
            .Update(items, ("id", "1"), ("name", "a2"), ("big", BatchBuilder.Unavailable), ("note", "m"))
            .Update(items, ("id", "2"), ("name", "b2"), ("big", "new"), ("note", "m"))
            .Update(items, ("id", "2"), ("name", "b3"), ("big", BatchBuilder.Unavailable), ("note", "m"))
            .Build(), CancellationToken.None);
        Assert.Equal(["1|a2|kept|m", "2|b3|new|m"], await target.Database.RowsAsync("select id, name, big, note from items order by id"));
    }

    [Fact]
    public async Task Changes_of_a_row_on_both_sides_of_a_swap_of_the_routes_are_applied_in_their_order()
    {
        await using var target = await CreateAsync("insert into items values (9, 'old', 'kept', 'n')");
        var before = target.Route("items");
        var after = (await TargetCatalog.LoadAsync(target.Database.DataSource, [before.Mapping], CancellationToken.None)).Find(before.Source)!;
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(Lane)
            .Insert(before, ("id", "1"), ("name", "deleted behind the swap"))
            .Update(before, ("id", "9"), ("name", "older"), ("big", BatchBuilder.Unavailable))
            .Insert(before, ("id", "3"), ("name", "stays"))
            .Delete(after, ("id", "1"))
            .Update(after, ("id", "9"), ("name", "newer"), ("big", "B"))
            .Build(), CancellationToken.None);
        Assert.Equal(["3|stays|∅", "9|newer|B"], await target.Database.RowsAsync("select id, name, big from items order by id"));
        Assert.Equal(5, writer.NextOffset);
    }

    [Fact]
    public async Task A_row_deleted_and_inserted_again_keeps_nothing_of_what_it_was()
    {
        await using var target = await CreateAsync("insert into items values (1, 'a', 'old', 'old note')");
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(Lane)
            .Update(items, ("id", "1"), ("name", "a"), ("big", "x"), ("note", "y"))
            .Delete(items, ("id", "1"))
            .Insert(items, ("id", "1"), ("name", "again"))
            .Build(), CancellationToken.None);
        Assert.Equal(["1|again|∅|none"], await target.Database.RowsAsync("select id, name, big, note from items"));
    }

    [Fact]
    public async Task An_empty_batch_moves_progress()
    {
        await using var target = await CreateAsync();
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(Lane).Nothing().Nothing().Build(), CancellationToken.None);
        Assert.Equal(2, (await target.Store.ReadProgressAsync(CancellationToken.None)).Single().NextOffset);
    }

    [Fact]
    public async Task A_batch_large_enough_for_COPY_ends_as_a_small_one_does()
    {
        await using var target = await CreateAsync("insert into items select g, 'old', 'kept ' || g, 'n' from generate_series(1, 3000) g");
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        var batch = new BatchBuilder(Lane);
        for (var i = 1; i <= 3000; i++)
        {
            var id = $"{i}";
            _ = (i % 3) switch
            {
                0 => batch.Delete(items, ("id", id)),
                1 => batch.Update(items, ("id", id), ("name", "tab\tnewline\nreturn\r\\N \\. é"), ("big", BatchBuilder.Unavailable), ("note", null)),
                _ => batch.Insert(items, ("id", $"{i + 10000}"), ("name", ""), ("big", "\\"), ("note", "new")),
            };
        }

        var counts = await writer.ApplyAsync(batch.Build(), CancellationToken.None);
        Assert.Equal((1000, 1000, 1000), (counts.Inserts, counts.Updates, counts.Deletes));
        Assert.Equal(["1000"], await target.Database.RowsAsync(
            "select count(*) from items where name = E'tab\\tnewline\\nreturn\\r\\\\N \\\\. é' and big = 'kept ' || id and note is null"));
        Assert.Equal(["1000"], await target.Database.RowsAsync("select count(*) from items where id > 10000 and name = '' and big = E'\\\\' and note = 'new'"));
        Assert.Equal(["3000"], await target.Database.RowsAsync("select count(*) from items"));

        await writer.ApplyAsync(new BatchBuilder(Lane, 3000).Delete(items, ("id", "1")).Build(), CancellationToken.None);
        Assert.Equal(["0"], await target.Database.RowsAsync("select count(*) from items where id = 1"));
    }

    private async Task<LaneTarget> CreateAsync(string rows = "") =>
        await LaneTarget.CreateAsync(await postgres.CreateTargetAsync($"{Items}; {rows}"), ["public.items"]);
}

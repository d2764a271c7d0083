using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Drift;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Drift;

/// <summary>An initial snapshot that the connector took twice: what was deleted in between is in no log.</summary>
public sealed class SnapshotBegunAgainTests(PostgresFixture postgres)
{
    private const string Schema = "create table items(id int primary key, v text)";
    private static readonly SourcePosition Taken = new(0, 900, 7);
    private long offset;

    [Fact]
    public async Task Rows_of_two_initial_snapshots_are_named_until_the_table_is_found_equal_or_copied_again()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Schema), ["public.items"]);
        var watch = Watch(source, target);
        await SendAsync(target, Taken, 1, 1, 2);
        await SendAsync(target, Taken, 1, 3);
        Assert.Empty(await LookAsync(watch));

        // Stopped and begun again: row 1 was deleted in between.
        await SendAsync(target, Taken with { Lsn = 950 }, 2, 2, 3);
        var finding = Assert.Single(await LookAsync(watch));
        Assert.Equal((Severity.Warning, "snapshot-begun-again", "public.items"), (finding.Severity, finding.Code, finding.Table));
        Assert.Equal("Run 'cdcm verify start', and 'cdcm tables repair public.items' if it finds such rows; or 'cdcm tables resync public.items'", finding.Fix);

        // A comparison counts only if it began behind that, and found the table equal.
        await target.Database.ExecuteAsync("""
            insert into cdc_migrator.verification_table (migration, source_table, run, phase, rows_source, rows_target, estimated_rows, shape, key_columns, covered, covered_at, wrong_truncated, dirty_keys, verified_offsets, verdict)
            values ('test', 'public.items', 1, '', 0, 0, 0, '', '{}', true, clock_timestamp() - interval '1 hour', false, 0, '{}', '');
            update cdc_migrator.verification_table set equal_at = clock_timestamp()
            """);
        Assert.Single(await LookAsync(watch));
        await target.Database.ExecuteAsync("update cdc_migrator.verification_table set covered_at = clock_timestamp()");
        Assert.Single(await LookAsync(watch));
        await target.Database.ExecuteAsync("update cdc_migrator.verification_table set equal_at = clock_timestamp()");
        Assert.Empty(await LookAsync(watch));

        await SendAsync(target, Taken with { Lsn = 970 }, 3, 2);
        Assert.Single(await LookAsync(watch));
        await watch.AcceptAsync(new TableName("public", "items"), TestContext.Current.CancellationToken);
        Assert.Empty(await LookAsync(watch));
    }

    [Fact]
    public async Task Neither_copies_nor_changes_nor_another_process_that_goes_on_with_a_snapshot_is_taken_for_another_one()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Schema), ["public.items"]);
        await SendAsync(target, Taken, 1, 1);
        await using var other = await LaneTarget.CreateAsync(target.Database, ["public.items"]);
        await SendAsync(other, Taken, 1, 2);
        await SendAsync(other, SourcePosition.None, 2, 2);
        await SendAsync(other, Taken, 0, 3);
        await (await other.ClaimAsync()).ApplyAsync(new BatchBuilder(new LaneId("t", 0), offset).SentBy(3)
            .Add(other.Route("items"), ChangeOperation.Insert, KeyChangeHalf.None, new SourcePosition(1000, 1010, 8), ("id", "4"), ("v", "x")).Build(), TestContext.Current.CancellationToken);
        Assert.Empty(await LookAsync(Watch(source, target)));
    }

    private static SchemaWatch Watch(TestDatabase source, LaneTarget target) =>
        new(source.DataSource, target.Database.DataSource, "test", [new TableMapping { Source = new TableName("public", "items"), Target = new TableName("public", "items") }], copiesNewTables: false, namesValues: false);

    private static async Task<IReadOnlyList<Finding>> LookAsync(SchemaWatch watch) => (await watch.LookAsync(TestContext.Current.CancellationToken)).Findings;

    private async Task SendAsync(LaneTarget target, SourcePosition position, ulong run, params int[] ids)
    {
        var batch = new BatchBuilder(new LaneId("t", 0), offset).SentBy(run);
        foreach (var id in ids)
        {
            batch.Add(target.Route("items"), ChangeOperation.SnapshotRow, KeyChangeHalf.None, position, ("id", $"{id}"), ("v", "x"));
        }

        offset = batch.Offset;
        await (await target.ClaimAsync()).ApplyAsync(batch.Build(), TestContext.Current.CancellationToken);
    }
}

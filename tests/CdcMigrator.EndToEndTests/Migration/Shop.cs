using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Digests;
using CdcMigrator.TestKit.Kit;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>The shop as a migration: its start, its load and what must hold of it in the end.</summary>
internal static class Shop
{
    /// <summary>A migration of a shop of 5000 customers, not registered yet.</summary>
    public static Task<MigrationStack> StartAsync(KitFixture kit, string name) =>
        MigrationStack.StartAsync(kit, name, ShopSchema.Sql, ShopSchema.Tables, connection => ShopSchema.LoadAsync(connection, 5000, CancellationToken.None));

    /// <summary>Begins to write, in transactions a second.</summary>
    public static ShopWorkload Write(MigrationStack stack, double rate) =>
        ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = rate });

    /// <summary>Every acknowledged write is in the target, every row is equal, nothing was parked.</summary>
    public static async Task ShouldBeEqualAsync(MigrationStack stack, ShopWorkload workload, ITestOutputHelper output, CancellationToken cancellationToken)
    {
        var verdict = await workload.CheckAsync(stack.TargetConnection, cancellationToken);
        if (!verdict.Kept)
        {
            // Whether it is the source's row that is another one, or the target's, and whether that is still to come.
            var source = await workload.CheckAsync(stack.SourceConnection, cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System, cancellationToken);
            var later = await workload.CheckAsync(stack.TargetConnection, cancellationToken);
            var progress = string.Join(", ", (await stack.ProgressAsync(cancellationToken)).Select(lane => $"{lane.Key} {lane.Value}"));
            var log = verdict.WrongRows.Count == 0 ? "" : $"; the log of {verdict.WrongRows[0]}:\n{string.Join('\n', stack.ReadRecords(verdict.WrongRows[0]))}";
            Assert.Fail($"target: {verdict}; source: {source}; target ten seconds later: {later}; lanes at {progress}{log}");
        }

        var routes = await TargetCatalog.LoadAsync(stack.Target, [.. ShopSchema.Tables.Select(table => new TableMapping { Source = table, Target = table })], cancellationToken);
        foreach (var route in routes.All)
        {
            var result = await new TableComparison(stack.Source, stack.Target).CompareAsync(route, 5, cancellationToken);
            output.WriteLine($"{route}: {result.RowsSource} rows, {result.Differences.Count} differences");
            Assert.True(result.Equal, $"{route}: {result.RowsSource} against {result.RowsTarget} rows; {string.Join("; ", result.Differences.Select(row =>
                $"{row.Kind} {string.Join('/', row.Key.Values)} {string.Join(',', row.Columns)}"))}");
        }

        await using var command = stack.Target.CreateCommand("select count(*) from cdc_migrator.dead_letter");
        Assert.Equal(0L, await command.ExecuteScalarAsync(cancellationToken));
        output.WriteLine($"{workload.Ledger.Acknowledged} acknowledged, {workload.Ledger.FoundCommitted} of unknown outcome found committed");
    }
}

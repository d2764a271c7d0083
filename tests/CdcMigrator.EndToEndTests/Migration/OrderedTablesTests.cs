using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Digests;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Workloads;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>What Debezium sends for truncates, rows without a key and partitions, with Connect and the service killed in the middle.</summary>
[Collection(typeof(KilledKit))]
public sealed class OrderedTablesTests(KitFixture kit, ITestOutputHelper output)
{
    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.Avro)]
    public async Task Truncates_rows_without_a_key_and_partitions_end_equal_after_kills_of_connect_and_the_service(MigrationFormat format)
    {
        kit.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(
            kit, $"ordered-{format}".ToLowerInvariant(), (OrderedTables.SourceSchema, OrderedTables.TargetSchema), OrderedTables.Mappings, async connection =>
            {
                await using var source = Npgsql.NpgsqlDataSource.Create(connection);
                await using var command = source.CreateCommand(OrderedTables.Seed);
                await command.ExecuteNonQueryAsync(cancellationToken);
            });
        await stack.RegisterAsync(format);
        var service = stack.StartService();
        var copied = 0;
        await CopyAndSeeAsync();
        using var writing = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 2).Select(seed => Task.Run(() => OrderedTables.WriteAsync(stack.SourceConnection, seed, writing.Token), cancellationToken)).ToList();
        foreach (var blow in new[] { "connect", "service", "connect" })
        {
            await OrderedTables.CopyAsync(stack.SourceConnection, 300);
            copied += 300;
            if (blow == "connect")
            {
                await kit.KillAsync("connect");
                await kit.UpAsync("connect");
            }
            else
            {
                await service.KillAsync();
                service = stack.StartService();
            }

            await CopyAndSeeAsync();
        }

        await writing.CancelAsync();
        await Task.WhenAll(writers);
        await stack.DrainAsync(cancellationToken);
        var routes = await TargetCatalog.LoadAsync(stack.Target, OrderedTables.Mappings, cancellationToken);
        foreach (var route in routes.All)
        {
            var result = await new TableComparison(stack.Source, stack.Target).CompareAsync(route, 5, cancellationToken);
            output.WriteLine($"{route}: {result.RowsSource} rows, {result.Differences.Count} differences");
            Assert.True(result.Equal, $"{route}: {result.RowsSource} against {result.RowsTarget} rows; {string.Join("; ", result.Differences.Select(row => $"{row.Kind} {string.Join('/', row.Key.Values)}"))}");
        }

        async Task CopyAndSeeAsync()
        {
            await OrderedTables.CopyAsync(stack.SourceConnection, 300);
            copied += 300;
            await stack.WaitAsync("rows written by COPY to arrive", async () =>
            {
                await using var command = stack.Target.CreateCommand("select count(*) from bag where n = 7");
                return (long)(await command.ExecuteScalarAsync(cancellationToken))! >= copied;
            }, cancellationToken);
        }
    }
}

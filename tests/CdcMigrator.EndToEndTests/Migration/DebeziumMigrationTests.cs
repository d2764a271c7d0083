using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Digests;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>The composed migration over real Debezium, undisturbed: what the formats carry, and that the drain proof holds.</summary>
[Collection(typeof(SteadyKit))]
public sealed class DebeziumMigrationTests(KitFixture kit)
{
    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.JsonWithSchema)]
    [InlineData(MigrationFormat.Avro)]
    public async Task A_drained_shop_is_equal_row_for_row(MigrationFormat format)
    {
        kit.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(
            kit, $"calm-{format}".ToLowerInvariant(), ShopSchema.Sql, ShopSchema.Tables, connection => ShopSchema.LoadAsync(connection, 1000, cancellationToken));
        var definition = stack.Definition(format);
        await using var control = PostgresConnections.CreateControl(stack.SourceConnection);
        await ControlSchema.PrepareSourceAsync(control, cancellationToken);
        using var connect = new ConnectClient(kit.ConnectUrl);
        await connect.PutConfigAsync(
            definition.Connect!.Connector,
            ConnectorTemplate.Render(definition, new ConnectorTemplateOptions { JsonSchemas = format == MigrationFormat.JsonWithSchema }), cancellationToken);
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = 100 });
        await using var runtime = new MigrationRuntime(definition, Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
        using var stop = new CancellationTokenSource();
        var run = Task.Run(() => runtime.RunAsync(stop.Token), cancellationToken);

        await workload.WaitForAcknowledgedAsync(500, cancellationToken);
        await stack.WaitAsync("the pipeline to run", () => Task.FromResult(runtime.Status().Phase == RuntimePhase.Running || run.IsCompleted), cancellationToken);
        await workload.StopAsync(cancellationToken);
        var marker = await FenceTable.WriteMarkerAsync(stack.Source, cancellationToken);
        var report = await runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromMinutes(2), cancellationToken);

        Assert.True(report.Drained, $"waiting for {report.WaitingFor}: {string.Join("; ", runtime.Status().Faults)}");
        var verdict = await workload.CheckAsync(stack.TargetConnection, cancellationToken);
        Assert.True(verdict.Kept, verdict.ToString());
        var routes = await TargetCatalog.LoadAsync(stack.Target, [.. ShopSchema.Tables.Select(table => new TableMapping { Source = table, Target = table })], cancellationToken);
        foreach (var route in routes.All)
        {
            var result = await new TableComparison(stack.Source, stack.Target).CompareAsync(route, 5, cancellationToken);
            Assert.True(result.Equal, $"{route}: {result.RowsSource} against {result.RowsTarget}; {string.Join("; ", result.Differences.Select(row => $"{row.Kind} {string.Join('/', row.Key.Values)} {string.Join(',', row.Columns)}"))}");
        }

        await stop.CancelAsync();
        await run;
    }
}

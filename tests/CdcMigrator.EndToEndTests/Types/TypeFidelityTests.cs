using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Tables;
using CdcMigrator.EndToEndTests.Migration;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.EndToEndTests.Types;

/// <summary>Every type arrives as it is, from the snapshot and from the stream, whatever the records can carry (invariants A5, A10).</summary>
[Collection(typeof(SteadyKit))]
public sealed class TypeFidelityTests(KitFixture kit)
{
    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.JsonWithSchema)]
    [InlineData(MigrationFormat.Avro)]
    public async Task Every_column_of_every_type_is_equal_in_the_target(MigrationFormat format)
    {
        kit.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(
            kit, $"zoo-{format}".ToLowerInvariant(), TypeZoo.Schema, TypeZoo.Tables, connection => RunAsync(connection, TypeZoo.Seed, cancellationToken));
        var definition = stack.Definition(format);
        await using var control = PostgresConnections.CreateControl(stack.SourceConnection);
        await ControlSchema.PrepareSourceAsync(control, cancellationToken);
        using var connect = new ConnectClient(kit.ConnectUrl);
        await connect.PutConfigAsync(
            definition.Connect!.Connector,
            ConnectorTemplate.Render(definition, new ConnectorTemplateOptions { JsonSchemas = format == MigrationFormat.JsonWithSchema }), cancellationToken);
        await using var runtime = new MigrationRuntime(definition, Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
        using var stop = new CancellationTokenSource();
        var run = Task.Run(() => runtime.RunAsync(stop.Token), cancellationToken);

        await WaitAsync("the snapshot's rows", async () => await SlotState.ReadAsync(stack.Source, stack.Slot, cancellationToken) is { Active: true });
        foreach (var statement in TypeZoo.Changes)
        {
            await RunAsync(stack.SourceConnection, statement, cancellationToken);
        }

        await WaitAsync("the pipeline to run", () => Task.FromResult(runtime.Status().Phase == RuntimePhase.Running || run.IsCompleted));
        var marker = await FenceTable.WriteMarkerAsync(stack.Source, cancellationToken);
        var draining = runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromMinutes(4), cancellationToken);
        await WaitAsync("the drain", () => Task.FromResult(draining.IsCompleted));
        Assert.True((await draining).Drained, string.Join("; ", runtime.Status().Faults));

        var wrong = new List<string>();
        foreach (var table in TypeZoo.Tables)
        {
            wrong.AddRange(await DifferencesAsync(stack, table, cancellationToken));
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} values differ:\n{string.Join('\n', wrong.Take(200))}");
        await stop.CancelAsync();
        await run;

        // A lane that is halted or a connector that failed would otherwise be seen only when the wait ends.
        Task WaitAsync(string what, Func<Task<bool>> condition) => stack.WaitAsync(what, async () =>
        {
            var halted = runtime.Status().Faults.Where(fault => fault.Kind is Domain.Faults.FaultKind.Poison or Domain.Faults.FaultKind.Configuration or Domain.Faults.FaultKind.Internal).ToList();
            Assert.True(halted.Count == 0, $"while waiting for {what}: {string.Join("; ", halted)}");
            var connector = await connect.FindStatusAsync(definition.Connect.Connector, cancellationToken);
            Assert.False(connector?.Tasks.Any(task => task.State == "FAILED") == true, $"while waiting for {what} the connector failed: {connector?.Cause}");
            return await condition();
        }, cancellationToken);
    }

    private static async Task<IEnumerable<string>> DifferencesAsync(MigrationStack stack, TableName table, CancellationToken cancellationToken)
    {
        var (source, target) = (await ReadAsync(stack.SourceConnection, table, cancellationToken), await ReadAsync(stack.TargetConnection, table, cancellationToken));
        return source.Keys.Union(target.Keys).Where(cell => source.GetValueOrDefault(cell, "(no row)") != target.GetValueOrDefault(cell, "(no row)")).Order()
            .Select(cell => $"{table.Name}.{cell.Column} of row {cell.Id}: {Show(target.GetValueOrDefault(cell, "(no row)"))} for {Show(source.GetValueOrDefault(cell, "(no row)"))}");
    }

    private static string Show(string? value) => value is null ? "NULL" : $"'{(value.Length > 60 ? value[..60] + "…" : value)}'";

    /// <summary>Text of every cell, under settings that do not depend on the server.</summary>
    private static async Task<Dictionary<(string Column, int Id), string?>> ReadAsync(string connectionString, TableName table, CancellationToken cancellationToken)
    {
        await using var database = PostgresConnections.CreateControl(connectionString);
        await using var columns = database.CreateCommand($"""
            select string_agg(format('(%L, {table.Name}.%I::text)', attname, attname), ', ') from pg_attribute
            where attrelid = '{table.Sql}'::regclass and attnum > 0 and not attisdropped
            """);
        var list = (string)(await columns.ExecuteScalarAsync(cancellationToken))!;
        await using var command = database.CreateCommand($"select {table.Name}.id, cell.column_name, cell.content from {table.Sql} as {table.Name}, lateral (values {list}) as cell(column_name, content)");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var cells = new Dictionary<(string, int), string?>();
        while (await reader.ReadAsync(cancellationToken))
        {
            cells[(reader.GetString(1), reader.GetInt32(0))] = await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetString(2);
        }

        return cells;
    }

    private static async Task RunAsync(string connectionString, string sql, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var command = database.CreateCommand("set lc_monetary = 'C'; set xmloption = 'content'; " + sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

using CdcMigrator.EndToEndTests.Migration;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Kit;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>Every MariaDB type through real Debezium, as snapshot rows and as streamed changes: what a client reads from the source is in the target.</summary>
[Collection(typeof(SteadyKit))]
public sealed class MariaDbTypeTests(KitFixture kit, MariaDbFixture mariaDb)
{
    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.JsonWithSchema)]
    [InlineData(MigrationFormat.Avro)]
    public async Task Every_value_of_every_type_is_in_the_target_as_it_is_in_the_source(MigrationFormat format)
    {
        await using var stack = await MariaDbStack.StartAsync(kit, mariaDb, $"mzoo-{format}".ToLowerInvariant(), Zoo.SourceTable + Zoo.Insert(1) + Zoo.Insert(2), Zoo.TargetTable);
        stack.Tables = [$"{{ source: {stack.Database}.zoo, target: public.zoo, columns: {Zoo.Mappings} }}"];
        await stack.RegisterAsync(format);
        var service = stack.StartService();
        await stack.DrainAsync(service, TestContext.Current.CancellationToken);
        await ShouldBeEqualAsync(stack, "in the snapshot");

        // Streamed inserts, updates of snapshot rows and of streamed ones, changed keys of several parts, deletes.
        await stack.ExecuteAsync(Zoo.Insert(3) + Zoo.Insert(4) + """
            set session sql_mode = '';
            update zoo set touched = touched + 1;
            update zoo set k1 = k1 + 100, k2 = concat(k2, '!') where k1 in (2, 4);
            delete from zoo where k2 like 'Row 1 %';
            """);
        await stack.DrainAsync(service, TestContext.Current.CancellationToken);
        await ShouldBeEqualAsync(stack, "in the stream");
    }

    /// <summary>Compares column by column, so that a failure names the column.</summary>
    private static async Task ShouldBeEqualAsync(MariaDbStack stack, string where)
    {
        var source = (await stack.SourceRowsAsync(Zoo.SourceQuery)).ConvertAll(row => row.Split('|'));
        var target = (await stack.TargetRowsAsync(Zoo.TargetQuery)).ConvertAll(row => row.Split('|'));
        var names = new[] { "k1", "k2", "touched" }.Concat(Zoo.Columns.Select(column => column.Name)).ToList();
        Assert.Equal(source.Select(row => $"{row[0]} {row[1]}"), target.Select(row => $"{row[0]} {row[1]}"));
        var differences = source.Zip(target).SelectMany(rows => names.Select((name, i) => (Name: name, Row: $"{rows.First[0]} {rows.First[1]}", Source: rows.First[i], Target: rows.Second[i])))
            .Where(cell => cell.Source != cell.Target)
            .Select(cell => $"{cell.Name} of {cell.Row}: {Short(cell.Source)} became {Short(cell.Target)}");
        Assert.True(!differences.Any(), $"{where}:\n{string.Join('\n', differences)}");
    }

    private static string Short(string text) => text.Length < 80 ? text : $"{text[..80]}…";
}

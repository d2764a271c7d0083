using CdcMigrator.Domain.Comparing;
using CdcMigrator.EndToEndTests.Migration;
using CdcMigrator.MariaDb.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Service.Configuration;
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
        await ShouldCompareEqualAsync(stack);
    }

    /// <summary>The reconciler's own reading of every type on both sides is one text too, and another where a value is another.</summary>
    private static async Task ShouldCompareEqualAsync(MariaDbStack stack)
    {
        var token = TestContext.Current.CancellationToken;
        await using var target = PostgresConnections.CreateVerify(stack.Target.ConnectionString);
        var mappings = MigrationFile.Load(stack.WriteFile().Path).Tables;
        var tables = await MariaDbComparedTables.ReadAsync(stack.Source, target, mappings, token);
        var table = tables.Single();
        Assert.Null(table.Unverifiable);
        Assert.Equal(["computed"], table.NotCompared);
        var sides = new MariaDbSides(stack.Source, target, stack.Name, () => null);
        Assert.Empty(await DifferingColumnsAsync());
        await using (var tamper = stack.Target.CreateCommand($"update zoo set {string.Join(", ", Zoo.Columns.Where(column => !column.Target.Contains("not null", StringComparison.Ordinal) && column.Name != "computed").Select(column => $"\"{column.Name}\" = null"))}"))
        {
            await tamper.ExecuteNonQueryAsync(token);
        }

        // zero_stamp is NULL in every row that is left.
        Assert.Equal(
            table.Columns.Select(column => column.Source).Except(["k1", "k2", "touched", "zero_required", "zero_now", "zero_stamp"]).ToHashSet(), await DifferingColumnsAsync());

        async Task<HashSet<string>> DifferingColumnsAsync()
        {
            await using var here = await sides.OpenSourceAsync(token);
            await using var there = await sides.OpenTargetAsync(token);
            var (left, right) = (await here.HashesAsync(table, KeyRange.All, token), await there.HashesAsync(table, KeyRange.All, token));
            Assert.Equal(left.Select(row => row.Key).ToHashSet(), right.Select(row => row.Key).ToHashSet());
            var keys = left.Except(right).Select(row => row.Key).ToList();
            var (ours, theirs) = (await here.RowsAsync(table, keys, token), await there.RowsAsync(table, keys, token));
            return [.. keys.SelectMany(key => table.Columns.Where((_, i) => ours[key][i] != theirs[key][i]).Select(column => column.Source))];
        }
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

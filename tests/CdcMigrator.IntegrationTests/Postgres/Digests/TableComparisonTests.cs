using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Digests;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Digests;

public sealed class TableComparisonTests(PostgresFixture postgres)
{
    private const string Schema = """
        create table t(a int, b text, v text, n numeric, arr text[], twice int generated always as (a * 2) stored, primary key (a, b));
        insert into t(a, b, v, n, arr) select i, 'k' || i, case when i % 7 = 0 then null else 'v' || i end, i / 3.0, array['x', null, i::text] from generate_series(1, 3000) i;
        """;

    [Fact]
    public async Task Equal_tables_are_equal()
    {
        var result = await CompareAsync("");
        Assert.True(result.Equal);
        Assert.Equal((3000, 3000), (result.RowsSource, result.RowsTarget));
        Assert.Equal(["a", "b", "v", "n", "arr"], result.Columns);
    }

    [Theory]
    [InlineData("update t set v = '' where a = 14", "14/k14 Different v")]
    [InlineData("update t set v = 'v10 ' where a = 10", "10/k10 Different v")]
    [InlineData("update t set n = n + 0.0000000001 where a = 20", "20/k20 Different n")]
    [InlineData("update t set arr = array['x', 'NULL', a::text] where a = 30", "30/k30 Different arr")]
    [InlineData("delete from t where a = 40", "40/k40 Missing ")]
    [InlineData("insert into t(a, b) values (5000, 'k')", "5000/k Extra ")]
    [InlineData("update t set b = 'other' where a = 50", "50/k50 Missing ;50/other Extra ")]
    [InlineData("update t set v = x.v from t x where t.a in (60, 61) and x.a = 121 - t.a", "60/k60 Different v;61/k61 Different v")]
    public async Task A_wrong_row_is_named_with_key_and_column(string tamper, string expected)
    {
        var result = await CompareAsync(tamper);
        var found = result.Differences.Select(row => $"{string.Join('/', row.Key.Values)} {row.Kind} {string.Join(',', row.Columns)}").Order(StringComparer.Ordinal);
        Assert.Equal(expected, string.Join(';', found));
        Assert.False(result.Equal);
    }

    [Fact]
    public async Task Differences_are_capped()
    {
        var result = await CompareAsync("update t set v = 'all wrong'", max: 5);
        Assert.Equal(5, result.Differences.Count);
    }

    private async Task<TableComparisonResult> CompareAsync(string tamper, int max = 100)
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema);
        if (tamper.Length > 0)
        {
            await target.ExecuteAsync(tamper);
        }

        return await new TableComparison(source.DataSource, target.DataSource).CompareAsync(Route(), max, TestContext.Current.CancellationToken);
    }

    private static TableRoute Route()
    {
        var name = new TableName("public", "t");
        var text = new ColumnType("text", ColumnKind.Text);
        var table = new TargetTable
        {
            Name = name,
            Columns = [new("a", text), new("b", text), new("v", text), new("n", text), new("arr", text), new("twice", text) { Generated = true }],
            Keys = [new UniqueKey("t_pkey", [0, 1], IsPrimary: true)],
        };
        return new TableRoute(new TableMapping { Source = name, Target = name }, table, table.Keys[0]);
    }
}

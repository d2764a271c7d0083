using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Comparing;

/// <summary>The canonical text of a row, which is hashed, is that of no other row.</summary>
public sealed class CanonicalRowTests(PostgresFixture postgres)
{
    /// <summary>Values made of the separator, of what lengths and bits look like, and of nothing.</summary>
    private const string Schema = """
        create table v(x text); insert into v values (null), (''), ('|'), ('||'), ('0'), ('1'), ('|1'), ('1|'), ('a|0|1');
        create table t(a text not null, n int, b varchar(10), j xml, c text);
        insert into t select a.x, n, b.x, j.x::xml, c.x from v a, v b, v c, (values (null), ('1'), ('1|')) as j(x), (values (null), (0), (1), (11)) as n(n) where a.x is not null;
        """;

    [Theory]
    [InlineData("a n b j c")]
    [InlineData("c b a n")]
    [InlineData("j c b a")]
    [InlineData("b c")]
    [InlineData("j n")]
    public async Task Two_rows_never_have_the_same_text(string columns)
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        var table = new ComparedTable
        {
            Source = TableName.Parse("public.t"),
            Target = TableName.Parse("public.t"),
            Key = [],
            Columns = [.. columns.Split(' ').Select(name => new ComparedColumn(name, name, CanonicalForm.Text)
            {
                IsFreeText = name != "n",
                IsNullable = name != "a",
                SourceType = name switch { "n" => "integer", "j" => "xml", "b" => "character varying", _ => "text" },
                TargetType = name switch { "n" => "integer", "j" => "xml", "b" => "character varying", _ => "text" },
            })],
        };
        var sql = new RowSql(table, ofSource: true);
        var row = $"row({string.Join(", ", sql.Values.Select(value => $"{value}::text"))})";
        var counted = await source.RowsAsync($"select count(distinct {row}), count(distinct {sql.Text}), count(distinct {sql.Hash}) from {sql.From}");
        var counts = counted[0].Split('|');
        Assert.Equal((counts[0], counts[0]), (counts[1], counts[2]));
        Assert.True(int.Parse(counts[0], System.Globalization.CultureInfo.InvariantCulture) > 10);
    }

    /// <summary>A function takes a hundred arguments, a number has 64 bits.</summary>
    [Fact]
    public async Task A_table_of_many_columns_has_one_text_a_row_too()
    {
        var names = Enumerable.Range(0, 400).Select(i => $"c{i}").ToList();
        await using var scene = await SidesScene.CreateAsync(postgres, $"""
            create table t(id int primary key, {string.Join(", ", names.Select(name => $"{name} text"))});
            insert into t(id) select i from generate_series(0, 400) i;
            {string.Concat(names.Select((name, i) => $"update t set {name} = '' where id = {i};"))}
            """);
        var table = await scene.TableAsync();
        var sql = new RowSql(table with { Columns = [.. table.Columns.Skip(1)], Key = [] }, ofSource: true);
        Assert.Equal(401, await scene.Source.ScalarAsync<long>($"select count(distinct {sql.Text}) from {sql.From}"));
        await scene.Target.ExecuteAsync("update t set c399 = '' where id = 7");
        Assert.Equal(["7 c399"], await scene.DifferencesAsync(table));
    }
}

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

    /// <summary>Sums are made of bytes, some of them of binary values, single rows of the server's text: both must be the same hash.</summary>
    [Fact]
    public async Task A_row_made_of_bytes_has_the_hash_of_its_text()
    {
        const string Columns = "n numeric, i smallint, f double precision, r real, b boolean, u uuid, d date, ts timestamp, tz timestamptz(3), s text, c char(5), j jsonb, y bytea, x xml, iv interval, bits bit(3), ip inet";
        const string Rows = """
            insert into t select i, (array['0', '-0.0010', '123456789012345678901234567890.123456789', '10000', '0.00000001', '1e40', 'NaN', 'Infinity', '-1.5', '100.00', null])[1 + i % 11]::numeric,
                i - 30000, (array['0', '-0', '1e20', '0.1', '1e-5', 'Infinity', 'NaN', '123456789.125'])[1 + i % 8]::float8, (i % 16) / 8.0, i % 3 = 0, md5(i::text)::uuid,
                (array['2000-01-01', '1999-12-31', '0001-01-01', '0044-03-15 BC', '2024-02-29', 'infinity', '-infinity', '12345-06-07', '1900-03-01'])[1 + i % 9]::date + case when i % 9 in (5, 6) then 0 else i end,
                (array['1999-12-31 23:59:59.999999', '2000-01-01', '0001-01-01 00:00:00.5', 'infinity', '4713-01-01 BC', '294276-12-31 23:59:59', '1969-07-20 20:17:40.000001'])[1 + i % 7]::timestamp,
                timestamptz '1980-01-01 00:00+00' + i * interval '37 hours 11.123 seconds', repeat('é|', i % 4), 'ab', jsonb_build_object('k', i, 'a', 1.0), decode(md5(i::text), 'hex'),
                '<a>é</a>', i * interval '1 hour', (i % 8)::bit(3), '10.0.0.1'::inet + i from generate_series(1, 2000) i;
            insert into t (id) values (0);
            """;
        await using var scene = await SidesScene.CreateAsync(
            postgres, $"set time zone 'UTC'; create table t(id int primary key, {Columns}); {Rows}", $"set time zone 'UTC'; create table t(id bigint primary key, {Columns.Replace("r real", "r double precision", StringComparison.Ordinal).Replace("tz timestamptz(3)", "tz timestamp", StringComparison.Ordinal)}); {Rows}");
        var table = await scene.TableAsync();
        Assert.Null(table.Unverifiable);
        table = table with { Hashing = HashPlace.Here };
        var token = TestContext.Current.CancellationToken;
        await using var source = await scene.Sides.OpenSourceAsync(token);
        await using var target = await scene.Sides.OpenTargetAsync(token);
        var (here, there) = (await source.DigestAsync(table, KeyRange.All, token), await target.DigestAsync(table, KeyRange.All, token));
        Assert.Equal(2001, here.Rows);
        Assert.Equal(here, there);
        foreach (var (rows, digest) in new[] { (await source.HashesAsync(table, KeyRange.All, token), here), (await target.HashesAsync(table, KeyRange.All, token), there) })
        {
            Assert.Equal(rows.Aggregate(Int128.Zero, (sum, row) => sum + row.Hash), digest.Sum);
        }
    }
}

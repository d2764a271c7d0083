using CdcMigrator.Debezium;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;

namespace CdcMigrator.IntegrationTests.Postgres.Catalog;

/// <summary>Which columns no event is believed for, by what the source holds.</summary>
public sealed class OriginCatalogTests(PostgresFixture postgres)
{
    private static readonly DebeziumSettings Faithful = new() { TopicPrefix = "p", Decimals = DecimalHandlingMode.Text, Intervals = IntervalHandlingMode.Text, UnknownTypesIncluded = true };

    [Fact]
    public async Task Arrays_of_another_shape_and_dates_before_Christ_are_seen_in_any_row()
    {
        await using var source = await postgres.CreateSourceAsync("""
            create domain words as text[];
            create table t(id int primary key, flat int[] not null default '{1}', shifted int[], deep text[], domain_deep words, empty int[], old date, young date default 'infinity', gen int generated always as (1) stored);
            insert into t(id) select generate_series(1, 100); insert into t(id, shifted, deep, domain_deep, empty, old) values (0, '[5:6]={1,2}', '{{a}}', '{{a}}', '{}', '2001-01-01 BC')
            """);
        var columns = (await LoadAsync(source))[new("public", "t")];
        Assert.Equal(
            ["id Never", "flat Never", "shifted Always", "deep Always", "domain_deep Always", "empty Never", "old Snapshot", "young Never"],
            columns.Select(column => $"{column.Key} {column.Value.ReadAgain}"));
        Assert.Equal(["young"], columns.Where(column => column.Value.NullHasDefault).Select(column => column.Key));
    }

    [Fact]
    public async Task What_was_seen_at_the_start_stays_known_and_the_catalog_is_read_anew()
    {
        await using var source = await postgres.CreateSourceAsync("create table t(id int primary key, a int[]); insert into t values (1, '{{1}}')");
        var catalog = new OriginCatalog(source.DataSource, type => EventFidelity.Of(type, Faithful), NullLogger.Instance);
        await catalog.LoadAsync([Mapping], CancellationToken.None);
        await source.ExecuteAsync("delete from t; alter table t add column late text");
        var columns = (await catalog.LoadAsync([Mapping], CancellationToken.None))[new("public", "t")];
        Assert.Equal(ReadAgain.Always, columns["a"].ReadAgain);
        Assert.True(columns.ContainsKey("late"));
    }

    [Fact]
    public async Task Intervals_can_be_infinite_where_the_server_says_so()
    {
        foreach (var server in new[] { postgres.CreateSourceAsync, (Func<string, Task<TestDatabase>>)postgres.CreateTargetAsync })
        {
            await using var source = await server("create domain span as interval; create table t(id int primary key, i interval, s span, many interval[])");
            var infinite = await source.ScalarAsync<int>("select current_setting('server_version_num')::int") >= 170000;
            Assert.Equal(infinite ? ["i", "s"] : [], (await LoadAsync(source))[new("public", "t")].Where(column => column.Value.ZeroMayBeInfinite).Select(column => column.Key));
        }
    }

    private static TableMapping Mapping => new() { Source = new("public", "t"), Target = new("public", "t") };

    private static Task<IReadOnlyDictionary<TableName, IReadOnlyDictionary<string, OriginColumn>>> LoadAsync(TestDatabase source) =>
        new OriginCatalog(source.DataSource, type => EventFidelity.Of(type, Faithful), NullLogger.Instance).LoadAsync([Mapping], CancellationToken.None);
}

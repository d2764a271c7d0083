using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.MariaDb.Preflight;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>What preflight says of a MariaDB source, against real servers.</summary>
[Collection(typeof(SteadyKit))]
public sealed class MariaDbPreflightTests(MariaDbFixture mariaDb)
{
    private const string SourceSql = """
        set session sql_mode = '';
        create table parent (id int primary key);
        create table t (id int primary key, parent int, address inet6, label enum('a','b,c'), f float, y year, born date, due date not null, gone int, note text not null,
            constraint follows foreign key (parent) references parent (id) on delete cascade);
        create table keyless (id int);
        create table mapped (id int primary key, flag tinyint, nul varchar(9) character set utf8mb4, js json, big bigint unsigned, day time, e enum('x'), born date, due date not null, text_flag tinyint, kind enum('a'), calm varchar(9));
        insert into mapped values (1, 5, concat('a', char(0 using utf8mb4)), '["\\u0000"]', 9223372036854775808, '-01:00:00', '', '0000-00-00', '2024-00-01', 5, 'a', 'x');
        insert into parent values (1);
        insert into t values (1, 1, '::1', 'a', 1, 0, '0000-00-00', '2024-00-01', 1, '');
        """;

    private const string TargetSql = """
        create table parent (id int primary key);
        create table t (id int primary key, parent int, address inet, label text, f double precision, y smallint, born date, due date not null, note text not null);
        create table keyless (id int primary key);
        create type x as enum ('x');
        create table mapped (id int primary key, flag boolean, nul text, js jsonb, big bigint, day time, e x, born date, due date not null, text_flag text, kind text, calm text);
        """;

    [Fact]
    public async Task What_the_file_says_of_columns_is_compared_with_what_they_hold()
    {
        Assert.Equal(
            ["big out-of-range", "born zero-date", "day out-of-range", "due zero-date", "e enum-empty", "flag not-boolean", "js nul-character", "nul nul-character", "text_flag type-unfit"],
            await FindAsync(new Dictionary<string, ColumnMapping>()));
        Assert.Equal(
            ["absent unknown-column", "big out-of-range", "calm mapping-unfit", "day out-of-range", "e enum-empty", "kind mapping-unfit", "text_flag type-unfit"],
            await FindAsync(new Dictionary<string, ColumnMapping>
            {
                ["absent"] = new() { As = "text" },
                ["flag"] = new() { As = "boolean", NonZeroIsTrue = true },
                ["nul"] = new() { NulCharacter = NulRule.Strip },
                ["js"] = new() { NulCharacter = NulRule.Replace },
                ["born"] = new() { ZeroDate = new(DateAction.Null) },
                ["due"] = new() { PartialDate = new(DateAction.First) },
                ["kind"] = new() { Labels = new Dictionary<string, string> { ["b"] = "c" } },
                ["calm"] = new() { ZeroDate = new(DateAction.Null) },
            }));

        async Task<IEnumerable<string>> FindAsync(IReadOnlyDictionary<string, ColumnMapping> columns) =>
            (await CheckAsync("mapped", database => [new TableMapping { Source = new TableName(database, "mapped"), Target = new TableName("public", "mapped"), Columns = columns }]))
                .Where(finding => finding.Table is not null).Select(finding => $"{finding.Column} {finding.Code}").Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task Everything_that_cannot_be_carried_is_named_with_its_column()
    {
        var findings = await CheckAsync("preflight", database =>
            [.. new[] { "parent", "t", "keyless", "absent" }.Select(table => new TableMapping { Source = new TableName(database, table), Target = new TableName("public", table) })]);

        Assert.Equal(
            [
                "absent missing-table ", "keyless keyless ", "keyless null-refused id", "t cascade ", "t inet address", "t missing-column gone", "t read-again f", "t year-zero y",
                "t zero-date born", "t zero-date due",
            ],
            findings.Where(finding => finding.Table is not null).Select(finding => $"{finding.Table!.Split('.')[1]} {finding.Code} {finding.Column}").Order(StringComparer.Ordinal));
        Assert.Equal(["source-version"], findings.Where(finding => finding.Table is null).Select(finding => finding.Code));
    }

    private async Task<IReadOnlyList<Finding>> CheckAsync(string name, Func<string, IReadOnlyList<TableMapping>> tables)
    {
        var server = await mariaDb.RequireAsync();
        var database = await mariaDb.CreateAsync(SourceSql);
        await using var target = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), TestContext.Current.CancellationToken);
        return await MariaDbPreflight.CheckAsync(new MigrationDefinition
        {
            Name = name,
            Source = new SourceSection(SourceKind.MariaDb, server.ConnectionString(database)),
            Target = new TargetSection(await target.CreateDatabaseAsync("shop", TargetSql, TestContext.Current.CancellationToken)),
            Log = new LogSection { TopicPrefix = name },
            Tables = tables(database),
        }, TestContext.Current.CancellationToken);
    }
}

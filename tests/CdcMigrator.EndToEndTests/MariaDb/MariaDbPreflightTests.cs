using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.MariaDb.Preflight;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>What preflight says of a MariaDB source, against real servers.</summary>
public sealed class MariaDbPreflightTests(MariaDbFixture mariaDb)
{
    private const string SourceSql = """
        set session sql_mode = '';
        create table parent (id int primary key);
        create table t (id int primary key, parent int, address inet6, label enum('a','b,c'), f float, y year, born date, due date not null, gone int, note text not null,
            constraint follows foreign key (parent) references parent (id) on delete cascade);
        create table keyless (id int);
        insert into parent values (1);
        insert into t values (1, 1, '::1', 'a', 1, 0, '0000-00-00', '2024-00-01', 1, '');
        """;

    private const string TargetSql = """
        create table parent (id int primary key);
        create table t (id int primary key, parent int, address inet, label text, f double precision, y smallint, born date, due date not null, note text not null);
        create table keyless (id int primary key);
        """;

    [Fact]
    public async Task Everything_that_cannot_be_carried_is_named_with_its_column()
    {
        var server = await mariaDb.RequireAsync();
        var database = await mariaDb.CreateAsync(SourceSql);
        await using var target = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), TestContext.Current.CancellationToken);
        var definition = new MigrationDefinition
        {
            Name = "preflight",
            Source = new SourceSection(SourceKind.MariaDb, server.ConnectionString(database)),
            Target = new TargetSection(await target.CreateDatabaseAsync("shop", TargetSql, TestContext.Current.CancellationToken)),
            Log = new LogSection { TopicPrefix = "preflight" },
            Tables = [.. new[] { "parent", "t", "keyless", "absent" }.Select(table => new TableMapping { Source = new TableName(database, table), Target = new TableName("public", table) })],
        };

        var findings = await MariaDbPreflight.CheckAsync(definition, TestContext.Current.CancellationToken);

        Assert.Equal(
            [
                "absent missing-table ", "keyless keyless ", "keyless null-refused id", "t cascade ", "t inet address", "t label-comma label", "t missing-column gone", "t type-unfit f", "t year-zero y",
                "t zero-date born", "t zero-date due",
            ],
            findings.Where(finding => finding.Table is not null).Select(finding => $"{finding.Table!.Split('.')[1]} {finding.Code} {finding.Column}").Order(StringComparer.Ordinal));
        Assert.Equal(["source-version"], findings.Where(finding => finding.Table is null).Select(finding => finding.Code));
    }
}

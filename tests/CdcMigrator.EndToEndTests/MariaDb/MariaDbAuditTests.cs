using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.MariaDb.Auditing;
using CdcMigrator.Service.Benchmarking;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>A MariaDB source in which every oddity is planted once, and found by name.</summary>
[Collection(typeof(SteadyKit))]
public sealed class MariaDbAuditTests(MariaDbFixture mariaDb)
{
    private const string Zoo = """
        set session sql_mode = '', session foreign_key_checks = 0;
        create table plain (id int primary key, v varchar(9));
        insert into plain values (1, 'x'), (2, null);
        create table odd (id int primary key, born date, due datetime not null, big bigint unsigned, flag tinyint(1), label enum('a','b'), tags set('x','y'), mask bit(3), y year, t time, f float,
            latin varchar(9) character set latin1, note varchar(99), nul varchar(9), large mediumtext, js json);
        insert into odd values
            (1, '0000-00-00', '2024-00-10', 18446744073709551615, 5, '', 'x,y', b'101', 0, '-01:00:00', 1.5, 'é', ' padded', concat('a', char(0 using utf8mb4)), repeat('x', 1200000), '["\\u0000"]'),
            (2, '2024-01-01', '2024-01-01', 1, 1, 'a', 'x', b'001', 2024, '01:00:00', 1.5, 'e', 'damaged \uFFFD', 'x', '', '[]');
        create table keyless (v int);
        create table hidden_key (rowid_of bigint invisible auto_increment primary key, v int);
        create table loose_key (id int primary key, email varchar(50) collate utf8mb4_general_ci unique, code varchar(50) collate utf8mb4_bin unique);
        create table isam (id int primary key) engine = MyISAM;
        create table parents (id int primary key);
        create table children (id int primary key, parent int, constraint follows foreign key (parent) references parents (id) on delete cascade);
        insert into children values (1, 7), (2, null);
        create table triggered (id int primary key);
        create trigger watch before insert on triggered for each row set new.id = new.id;
        create table nearly_used (id tinyint auto_increment primary key);
        insert into nearly_used values (120);
        create table forgotten (id int primary key);
        """;

    [Fact]
    public async Task Every_oddity_planted_once_is_found_by_name()
    {
        var audit = await AuditAsync("plain", "odd", "keyless", "hidden_key", "loose_key", "isam", "parents", "children", "triggered", "nearly_used", "missing");
        string[] expected =
        [
            "bit odd.mask", "cascade children", "character-set odd.latin", "engine isam", "enum odd.label", "enum-empty odd.label", "float odd.f", "invisible-key hidden_key", "keyless keyless", "large-row odd", "large-value odd.large",
            "loose-unique-key loose_key", "missing-table missing", "not-boolean odd.flag", "not-migrated", "nul-character odd.js", "nul-character odd.nul", "orphans children", "out-of-range odd.big", "out-of-range odd.t",
            "padded-text odd.note", "replacement-character odd.note", "sequence-headroom nearly_used.id", "set odd.tags", "source-version", "trigger triggered", "unsigned odd.big", "year odd.y", "year-zero odd.y",
            "zero-date odd.born", "zero-date odd.due",
        ];
        Assert.Equal(expected, audit.Findings.Where(finding => finding.Code != "binlog-retention").Select(Name).Order(StringComparer.Ordinal));
        Assert.Contains("email", audit.Findings.Single(finding => finding.Code == "loose-unique-key").Message, StringComparison.Ordinal);
        Assert.Equal(Severity.Warning, audit.Findings.Single(finding => Name(finding) == "zero-date odd.born").Severity);
        Assert.Equal(Severity.Error, audit.Findings.Single(finding => Name(finding) == "zero-date odd.due").Severity);
    }

    [Fact]
    public async Task A_table_is_profiled_column_by_column_without_telling_text()
    {
        var audit = await AuditAsync("plain", "odd");
        Assert.Equal("ROW", audit.Source.Settings["binlog_format"]);
        var odd = audit.Tables.Single(table => table.Table.EndsWith(".odd", StringComparison.Ordinal));
        Assert.Equal((2, 2, "InnoDB"), (odd.Rows, odd.RowsRead, odd.Identity));
        var columns = odd.Columns.ToDictionary(column => column.Name);
        Assert.Equal(("1", "18446744073709551615"), (columns["big"].Min, columns["big"].Max));
        Assert.Equal((1_200_000, 1), (columns["large"].LongestBytes, columns["large"].Count(ValueOddity.Empty)));
        Assert.Equal((1, 1), (columns["latin"].Count(ValueOddity.NonAscii), columns["note"].Count(ValueOddity.Padded)));
        Assert.All(odd.Columns.Where(column => column.LongestBytes is not null), column => Assert.Null(column.Min));
        Assert.Equal(1, audit.Tables.Single(table => table.Table.EndsWith(".plain", StringComparison.Ordinal)).Columns[1].Nulls);
    }

    [Fact]
    public async Task Reads_of_both_engines_are_timed_and_their_results_compared_as_numbers_and_dates()
    {
        var server = await mariaDb.RequireAsync();
        var database = await mariaDb.CreateAsync("create table t (id int primary key, price decimal(9,2), at datetime(3), day date, v varchar(9)); insert into t values (1, 2.50, '2024-01-01 00:00:00', '2024-01-02', 'x'), (2, null, '2024-01-01 10:00:00.5', null, 'y')");
        await using var target = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), TestContext.Current.CancellationToken);
        var definition = Definition(server, database, ["t"]) with
        {
            Target = new TargetSection(await target.CreateDatabaseAsync("shop", "create table t (id int primary key, price numeric, at timestamp, day date, v text); insert into t values (1, 2.5, '2024-01-01', '2024-01-02', 'x'), (2, null, '2024-01-01 10:00:00.5', null, 'y')", TestContext.Current.CancellationToken)),
            Benchmarks = [new Benchmark("all", "select id, price, at, day, v from t", "select id, price, at, day, v from t order by id desc", 3), new Benchmark("wrong", "select count(*) from t", "select count(*) + 1 from t", 3)],
        };
        var results = await MigrationBenchmark.RunAsync(definition, [], TimeSpan.FromSeconds(30), _ => { }, TestContext.Current.CancellationToken);
        Assert.Equal("equal", results[0].Results);
        Assert.Contains(results[1].Results, new[] { "different", "not comparable" });
        Assert.All(results, result => Assert.NotEqual(BenchmarkOutcome.Failed, result.Outcome));
    }

    private static string Name(Finding finding)
    {
        var table = finding.Table?[(finding.Table.IndexOf('.', StringComparison.Ordinal) + 1)..];
        return table is null ? finding.Code : finding.Column is null ? $"{finding.Code} {table}" : $"{finding.Code} {table}.{finding.Column}";
    }

    private static MigrationDefinition Definition(MariaDbServer server, string database, string[] tables) => new()
    {
        Name = "zoo",
        Source = new SourceSection(SourceKind.MariaDb, server.ConnectionString(database)),
        Target = new TargetSection("Host=nowhere"),
        Log = new LogSection { TopicPrefix = "zoo" },
        Tables = [.. tables.Select(table => new TableMapping { Source = new TableName(database, table), Target = new TableName("public", table) })],
    };

    private async Task<AuditReport> AuditAsync(params string[] tables)
    {
        var server = await mariaDb.RequireAsync();
        var database = await mariaDb.CreateAsync(Zoo.Replace("\\uFFFD", "\uFFFD", StringComparison.Ordinal));
        return await MariaDbAudit.RunAsync(Definition(server, database, tables), new AuditOptions(), _ => { }, TimeProvider.System, TestContext.Current.CancellationToken);
    }
}

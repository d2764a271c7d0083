using CdcMigrator.Debezium;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Auditing;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Auditing;

/// <summary>A source in which every oddity is planted once, and found by name.</summary>
public sealed class PostgresAuditTests(PostgresFixture postgres)
{
    private static readonly DebeziumSettings Faithful = new() { TopicPrefix = "p", Decimals = DecimalHandlingMode.Text, Intervals = IntervalHandlingMode.Text, Time = TimePrecisionMode.Microseconds, UnknownTypesIncluded = true };

    private const string Zoo = """
        create schema zoo;
        set search_path = zoo;
        create table values_of (id int primary key, note text, nan float8, amount numeric, due date, seen timestamptz, born timestamp, far date, raw bytea, js json, big text, flat text);
        insert into values_of (id, note, nan, amount, due, seen, born, far, raw, js, flat) values
            (1, ' padded', 'NaN', 'NaN', '-infinity', 'infinity', '0044-03-15 BC', '12024-01-01', '', '{"a": "\u0000"}', 'plain'),
            (2, E'damaged \uFFFD', '-Infinity', 2.5, '2024-01-01', now(), now(), now(), 'abc', '{}', 'plain'),
            (3, '', 1.5, -1, '2024-01-02', now(), now(), now(), null, null, 'plain');
        update values_of set big = repeat('x', 1200000) where id = 3;
        create table toasted (id int primary key, body text);
        alter table toasted alter body set storage external;
        insert into toasted values (1, repeat('y', 20000));
        create table keyless (v int);
        create table half_key (a int not null unique, b int);
        create table nothing (id int primary key); alter table nothing replica identity nothing;
        create table deferred (id int primary key deferrable);
        create unlogged table unlogged_of (id int primary key);
        create table parted (id int, at date, primary key (id, at)) partition by range (at);
        create table parted_a partition of parted for values from ('2024-01-01') to ('2025-01-01');
        insert into parted values (1, '2024-05-05'), (2, '2024-05-06');
        create table parent_of (id int primary key); create table child_of (id int primary key) inherits (parent_of);
        create table triggered (id int primary key); create function noop() returns trigger language plpgsql as 'begin return new; end';
        create trigger watch before insert on triggered for each row execute function noop();
        create table ruled (id int primary key); create rule quiet as on delete to ruled do instead nothing;
        create type mood as enum ('sad', 'glad'); create domain positive as int check (value > 0); create type pair as (a int, b int);
        create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        create table typed (id int generated always as identity primary key, double_id int generated always as (1) stored, m mood, d positive, p pair, ps pair[], arr int[], r int4range, x xml, price money, bits bit(3), n text collate loose);
        create table parents (id int primary key); create table orphans (id int primary key, parent int references parents);
        set session_replication_role = replica; insert into orphans values (1, 7), (2, null); set session_replication_role = origin;
        create table outside (id int primary key, ref int references public.elsewhere);
        create table small_range (id smallserial primary key); select setval('small_range_id_seq', 32000);
        create table behind (id serial primary key); insert into behind values (50);
        create table secret (id int primary key); alter table secret enable row level security;
        create table forgotten (id int primary key);
        create materialized view seen_of as select 1 as one;
        create foreign data wrapper nowhere; create server far_server foreign data wrapper nowhere; create foreign table abroad (id int) server far_server;
        create table quarter (id int primary key, arr int[], iv interval, tz timetz); insert into quarter values (1, '{{1},{2}}', '2200000000 hours', '12:00+05:30:15');
        select lo_create(0);
        """;

    [Fact]
    public async Task Every_oddity_planted_once_is_found_by_name()
    {
        await using var source = await CreateAsync();
        var audit = await AuditAsync(source, Tables("zoo.values_of", "zoo.toasted", "zoo.keyless", "zoo.half_key", "zoo.nothing", "zoo.deferred", "zoo.unlogged_of", "zoo.parted", "zoo.parent_of", "zoo.child_of",
            "zoo.triggered", "zoo.ruled", "zoo.typed", "zoo.parents", "zoo.orphans", "zoo.outside", "zoo.small_range", "zoo.behind", "zoo.secret", "zoo.abroad", "zoo.quarter", "zoo.missing"));

        string[] expected =
        [
            "deferrable-key zoo.deferred", "fk-outside zoo.outside", "foreign-table zoo.abroad", "inheritance zoo.child_of", "inheritance zoo.parent_of", "interval-range zoo.quarter.iv", "keyless zoo.keyless",
            "missing-table zoo.missing", "orphans zoo.orphans", "partitioned zoo.parted", "replica-identity zoo.half_key", "replica-identity zoo.nothing", "rule zoo.ruled", "sequence-behind zoo.behind.id",
            "sequence-headroom zoo.small_range.id", "timetz-offset zoo.quarter.tz", "toast zoo.toasted", "trigger zoo.triggered", "unlogged zoo.unlogged_of", "array-shape zoo.quarter.arr",
            "large-value zoo.values_of.big", "large-row zoo.values_of", "padded-text zoo.values_of.note", "replacement-character zoo.values_of.note", "nan zoo.values_of.nan", "nan zoo.values_of.amount", "infinite-value zoo.values_of.nan",
            "infinite-value zoo.values_of.due", "infinite-value zoo.values_of.seen", "date-bc zoo.values_of.born", "date-far zoo.values_of.far", "nul-character zoo.values_of.js",
            "generated zoo.typed.double_id", "identity-always zoo.typed.id", "enum zoo.typed.m", "domain zoo.typed.d", "composite zoo.typed.p", "composite zoo.typed.ps", "array zoo.typed.arr", "range zoo.typed.r",
            "reselected-type zoo.typed.x", "nondeterministic-collation zoo.typed.n", "large-objects", "materialized-views", "not-migrated", "source-version",
        ];
        var found = audit.Findings.Select(Name).ToHashSet();
        Assert.Empty(expected.Except(found));
        Assert.Contains("zoo.forgotten", audit.Findings.Single(finding => finding.Code == "not-migrated").Message, StringComparison.Ordinal);
        Assert.All(audit.Findings.Where(finding => finding.Severity != Severity.Info), finding => Assert.NotEmpty(finding.Fix));
        Assert.False(audit.Ok);

        // What nothing was planted of is not found: neither on the plain table nor in the plain column.
        Assert.DoesNotContain(audit.Findings, finding => finding.Table == "zoo.parents" || (finding.Table == "zoo.values_of" && finding.Column is "id" or "flat"));
        Assert.DoesNotContain(audit.Findings, finding => finding.Code is "wraparound" or "not-scanned" or "sampled");
    }

    [Fact]
    public async Task A_table_is_profiled_column_by_column_without_telling_text()
    {
        await using var source = await CreateAsync();
        var audit = await AuditAsync(source, Tables("zoo.values_of", "zoo.parted", "zoo.orphans", "zoo.parents"));
        var table = audit.Tables.Single(profile => profile.Table == "zoo.values_of");
        Assert.Equal((3, 3, "default"), (table.Rows, table.RowsRead, table.Identity));
        Assert.Equal(["id"], table.Key);
        var columns = table.Columns.ToDictionary(column => column.Name);
        Assert.Equal(("1", "3"), (columns["id"].Min, columns["id"].Max));
        Assert.Equal(("1.5", "1.5", 1, 1), (columns["nan"].Min, columns["nan"].Max, columns["nan"].Count(ValueOddity.NotANumber), columns["nan"].Count(ValueOddity.Infinite)));
        Assert.Equal(("2024-01-01", "2024-01-02", 1), (columns["due"].Min, columns["due"].Max, columns["due"].Count(ValueOddity.Infinite)));
        Assert.Equal((1, 1, 1, 1), (columns["note"].Count(ValueOddity.Empty), columns["note"].Count(ValueOddity.Padded), columns["note"].Count(ValueOddity.NonAscii), columns["note"].Count(ValueOddity.Replacement)));
        Assert.Equal((1_200_000, 2, 1), (columns["big"].LongestBytes, columns["big"].Nulls, columns["big"].Count(ValueOddity.OverMegabyte)));
        Assert.Equal((1, 1), (columns["raw"].Nulls, columns["raw"].Count(ValueOddity.Empty)));
        Assert.All(table.Columns.Where(column => column.Type is "text" or "json" or "bytea"), column => Assert.Null(column.Min));
        Assert.Equal((2, "partitioned", 1), (audit.Tables.Single(profile => profile.Table == "zoo.parted").Rows, audit.Tables.Single(profile => profile.Table == "zoo.parted").Kind, audit.Tables.Single(profile => profile.Table == "zoo.parted").Parts));
        Assert.Equal(1, Assert.Single(audit.ForeignKeys).Orphans);
    }

    [Fact]
    public async Task A_sample_is_said_to_be_one_and_a_table_that_takes_too_long_is_left_out_by_name()
    {
        await using var source = await postgres.CreateSourceAsync("create table t(id int primary key, v text); insert into t select i, 'x' from generate_series(1, 50000) i; analyze t");
        var sampled = await AuditAsync(source, Tables("public.t"), new AuditOptions { SamplePercent = 50 });
        var table = Assert.Single(sampled.Tables);
        Assert.InRange(table.RowsRead, 1, 49_999);
        Assert.Equal((50_000, 50), (table.Rows, table.SamplePercent));
        Assert.Contains(sampled.Findings, finding => finding is { Code: "sampled", Table: "public.t" });

        var late = await AuditAsync(source, Tables("public.t"), new AuditOptions { StatementTimeout = TimeSpan.FromMilliseconds(1) });
        Assert.Contains(late.Findings, finding => finding is { Code: "not-scanned", Table: "public.t", Severity: Severity.Warning });
        Assert.Equal((50_000, 0), (Assert.Single(late.Tables).Rows, late.Tables[0].RowsRead));
    }

    [Fact]
    public async Task Row_security_that_hides_rows_and_rights_that_lack_are_errors_and_no_crash()
    {
        await using var source = await CreateAsync();
        await source.ExecuteAsync("create role audit_poor login; grant usage on schema zoo to audit_poor; grant select on zoo.secret to audit_poor");
        var poor = new Npgsql.NpgsqlConnectionStringBuilder(source.ConnectionString) { Username = "audit_poor" }.ConnectionString;
        var audit = await RunAsync(poor, Tables("zoo.secret", "zoo.parents"), new AuditOptions(), _ => { });
        Assert.Contains(audit.Findings, finding => finding is { Code: "row-security", Table: "zoo.secret", Severity: Severity.Error });
        Assert.Contains(audit.Findings, finding => finding is { Code: "permission", Table: "zoo.parents", Severity: Severity.Error });
        Assert.False(audit.IsComplete);
        Assert.Contains("GRANT SELECT ON \"zoo\".\"parents\"", audit.Findings.Single(finding => finding is { Code: "not-scanned", Table: "zoo.parents" }).Fix, StringComparison.Ordinal);
        Assert.Equal(["zoo.parents", "zoo.secret"], audit.Findings.Where(finding => finding.Code == "not-scanned").Select(finding => finding.Table).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_table_somebody_has_to_himself_is_left_out_by_name_and_the_others_are_profiled()
    {
        await using var source = await postgres.CreateSourceAsync("""
            create table quiet (id int primary key, v text); insert into quiet values (1, 'a'), (2, 'bcd');
            create table busy (id int primary key, v text); insert into busy select i, repeat('x', 1000) from generate_series(1, 1000) i;
            create table split (id int, primary key (id)) partition by range (id); create table split_1 partition of split for values from (1) to (10); insert into split values (1);
            analyze
            """);
        await using var holder = await source.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var change = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var command = new Npgsql.NpgsqlCommand("lock table busy, split_1 in access exclusive mode", holder))
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var impatient = new Npgsql.NpgsqlConnectionStringBuilder(source.ConnectionString) { ApplicationName = "audit" }.ConnectionString;
        var audit = await RunAsync(impatient, Tables("public.busy", "public.quiet", "public.split"), new AuditOptions { TablesAtOnce = 3, StatementTimeout = TimeSpan.FromMinutes(1) }, _ => { });
        var tables = audit.Tables.ToDictionary(table => table.Table);
        Assert.False(audit.IsComplete);
        Assert.True(audit.Ok);
        Assert.Equal((2, 2, null), (tables["public.quiet"].Rows, tables["public.quiet"].RowsRead, tables["public.quiet"].NotProfiled));
        Assert.Equal(("it is locked by process " + holder.ProcessID)[..20], tables["public.busy"].NotProfiled![..20]);
        Assert.StartsWith("it is locked", tables["public.split"].NotProfiled, StringComparison.Ordinal);
        Assert.True(tables["public.busy"].Bytes > 1_000_000, "the size is known without the lock");
        Assert.Equal(1000, tables["public.busy"].Rows);
        Assert.Equal(
            ["public.busy was not profiled: it is locked by process", "public.split was not profiled: it is locked"],
            audit.Findings.Where(finding => finding.Code == "not-scanned").Select(finding => finding.Message.Split(" " + holder.ProcessID)[0]).Order(StringComparer.Ordinal));
        Assert.All(audit.Findings.Where(finding => finding.Code == "not-scanned"), finding => Assert.NotEmpty(finding.Fix));
    }

    [Fact]
    public async Task The_largest_row_and_the_present_rate_of_writes_are_measured()
    {
        await using var source = await postgres.CreateSourceAsync("""
            create table t(id int primary key, a text, b bytea, c text); insert into t select i, 'x', '', '' from generate_series(1, 10) i;
            update t set a = repeat('y', 600000), b = decode(repeat('00', 300000), 'hex'), c = repeat('z', 100000) where id = 7; alter table t replica identity full
            """);
        var audit = RunAsync(source.ConnectionString, Tables("public.t"), new AuditOptions { RateWindow = TimeSpan.FromSeconds(3) }, _ => { });
        while (!audit.IsCompleted)
        {
            await source.ExecuteAsync("update t set c = 'w' where id <= 3");
        }

        var table = Assert.Single((await audit).Tables);
        Assert.InRange(table.LargestRowBytes!.Value, 1_100_000, 1_100_200);
        Assert.True((await audit).Measured is { WritesPerSecond: > 0, Seconds: >= 3, LogBytesPerSecond: > 0 }, $"{(await audit).Measured}");

        // No column is larger than a megabyte.
        var finding = Assert.Single((await audit).Findings, finding => finding.Code is "large-row" or "large-value");
        Assert.Contains("1.1 MB, of which updates carry two", finding.Message, StringComparison.Ordinal);
        Assert.Contains("4 MB or more", finding.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_table_is_told_of_as_it_is_done()
    {
        await using var source = await CreateAsync();
        var told = new System.Collections.Concurrent.ConcurrentBag<AuditProgress>();
        await RunAsync(source.ConnectionString, Tables("zoo.parents", "zoo.orphans"), new AuditOptions { TablesAtOnce = 2 }, told.Add);
        Assert.Equal(["foreign keys", "zoo.orphans", "zoo.parents"], told.Select(progress => progress.What).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_source_that_does_not_answer_is_a_fault()
    {
        var fault = await Assert.ThrowsAsync<FaultException>(() => RunAsync("Host=127.0.0.1;Port=1;Database=x;Username=x;Timeout=3", Tables("public.t"), new AuditOptions(), _ => { }));
        Assert.Equal(FaultKind.Unreachable, fault.Fault.Kind);
    }

    private static string Name(Finding finding) => finding.Table is null ? finding.Code : finding.Column is null ? $"{finding.Code} {finding.Table}" : $"{finding.Code} {finding.Table}.{finding.Column}";

    private static IReadOnlyList<TableMapping> Tables(params string[] names) => [.. names.Select(TableName.Parse).Select(name => new TableMapping { Source = name, Target = name })];

    private static Task<AuditReport> AuditAsync(TestDatabase source, IReadOnlyList<TableMapping> tables, AuditOptions? options = null) =>
        RunAsync(source.ConnectionString, tables, options ?? new AuditOptions(), _ => { });

    private static Task<AuditReport> RunAsync(string connection, IReadOnlyList<TableMapping> tables, AuditOptions options, Action<AuditProgress> progress) => PostgresAudit.RunAsync(
        new MigrationDefinition
        {
            Name = "zoo",
            Source = new SourceSection(SourceKind.PostgreSql, connection),
            Target = new TargetSection(connection),
            Log = new LogSection { TopicPrefix = "p" },
            Tables = tables,
        },
        type => EventFidelity.Of(type, Faithful), options, progress, TimeProvider.System, TestContext.Current.CancellationToken);

    private Task<TestDatabase> CreateAsync() => postgres.CreateSourceAsync("create table public.elsewhere (id int primary key);\n" + Zoo);
}

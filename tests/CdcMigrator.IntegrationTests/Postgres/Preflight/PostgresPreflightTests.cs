using CdcMigrator.Debezium;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Preflight;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Preflight;

public sealed class PostgresPreflightTests(PostgresFixture postgres)
{
    private static readonly DebeziumSettings Faithful = new() { TopicPrefix = "p", Decimals = DecimalHandlingMode.Text, Intervals = IntervalHandlingMode.Text, Time = TimePrecisionMode.Microseconds, UnknownTypesIncluded = true };

    [Fact]
    public async Task A_migration_that_fits_has_no_findings_but_versions()
    {
        const string Schema = "create table t(id int primary key, v text, n numeric(8,2) not null, a int[])";
        var findings = await CheckAsync(Schema + "; insert into t values (1, 'x', 1, '{1,NULL}')", Schema);
        Assert.Equal(["source-version", "target-version"], findings.Select(finding => finding.Code).Order());
    }

    [Theory]
    [InlineData("create table t(v int)", "create table t(v int primary key)", "keyless")]
    [InlineData("create table t(id int primary key); alter table t replica identity nothing", "create table t(id int primary key)", "replica-identity")]
    [InlineData("create table t(id int primary key, u int not null unique); alter table t replica identity using index t_u_key", "create table t(id int primary key, u int)", "replica-identity")]
    [InlineData("create table t(id int not null unique)", "create table t(id int primary key)", "replica-identity")]
    [InlineData("create unlogged table t(id int primary key)", "create table t(id int primary key)", "unlogged")]
    [InlineData("create table t(id int primary key)", "create view t as select 1 as id", "missing-table")]
    [InlineData("create table t(id int primary key)", "", "missing-table")]
    [InlineData("", "create table t(id int primary key)", "missing-table")]
    [InlineData("create table t(id int primary key)", "create table t(id int primary key deferrable)", "keyless")]
    [InlineData("create table t(id int primary key, b int not null)", "create table t(id int, b int, primary key (id, b))", "key-differs")]
    [InlineData("create table t(id int primary key, v int)", "create table t(id int primary key)", "missing-column")]
    [InlineData("create table t(id int primary key)", "create table t(id int primary key, v int not null)", "not-null-without-default")]
    [InlineData("create table t(id timetz primary key)", "create table t(id timetz primary key)", "key-type")]
    [InlineData("create table t(id numeric primary key)", "create table t(id numeric(12,2) primary key)", "key-type-differs")]
    [InlineData("create table t(id timestamp primary key)", "create table t(id timestamp(0) primary key)", "key-type-differs")]
    [InlineData("create table t(id date primary key); insert into t values ('2001-01-01 BC')", "create table t(id date primary key)", "key-date")]
    [InlineData("create table t(id int primary key, v bit(3)[] not null)", "create table t(id int primary key, v bit(3)[] not null)", "unconvertible")]
    [InlineData("create domain d as text; create table t(id int primary key, v d[] not null)", "create domain d as text; create table t(id int primary key, v d[] not null)", "unconvertible")]
    [InlineData("create table t(id int primary key, v smallint[] not null); insert into t select 1, array_agg(i) from generate_series(1, 3000) i", "create table t(id int primary key, v smallint[] not null)", "toast-null")]
    [InlineData("create table t(id int primary key, v interval); insert into t values (1, '-2200000000 hours')", "create table t(id int primary key, v interval)", "interval-range")]
    public async Task What_would_lose_or_stall_is_an_error(string source, string target, string code)
    {
        var findings = await CheckAsync(source, target);
        var found = Assert.Single(findings, finding => finding.Severity == Severity.Error);
        Assert.Equal((code, "public.t"), (found.Code, found.Table));
        Assert.NotEmpty(found.Fix);
    }

    [Theory]
    [InlineData("create table t(id int primary key, v varchar(20))", "create table t(id int primary key, v varchar(10))", "type-differs")]
    [InlineData("create table t(id int primary key, v int)", "create table t(id int primary key, v int not null)", "null-refused")]
    [InlineData("create table t(id int primary key, v int)", "create table t(id int primary key, v int generated always as (id) stored)", "generated-differs")]
    [InlineData("create table t(id int primary key, v timetz)", "create table t(id int primary key, v timetz)", "reselected-type")]
    [InlineData("create table t(id int primary key, v money[])", "create table t(id int primary key, v money[])", "reselected-type")]
    [InlineData("create table t(id int primary key, v xml)", "create table t(id int primary key, v xml)", "reselected-type")]
    [InlineData("create table t(id int primary key, v bit(3)[])", "create table t(id int primary key, v bit(3)[])", "reselected-type")]
    [InlineData("create table t(id int primary key, a int[]); insert into t values (1, '{{1,2},{3,4}}')", "create table t(id int primary key, a int[])", "array-shape")]
    [InlineData("create table t(id int primary key, a text[]); insert into t values (1, '[5:6]={a,b}')", "create table t(id int primary key, a text[])", "array-shape")]
    [InlineData("create table t(id int primary key)", "create table t(id int primary key); insert into t values (1)", "target-not-empty")]
    [InlineData("create table t(id int primary key)", "create table t(id int primary key); create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger x before insert on t execute function f(); alter table t enable always trigger x", "trigger-fires")]
    [InlineData("create table t(id int primary key); select lo_create(0)", "create table t(id int primary key)", "large-objects")]
    public async Task What_works_with_a_limit_is_a_warning(string source, string target, string code)
    {
        var findings = await CheckAsync(source, target);
        Assert.DoesNotContain(findings, finding => finding.Severity == Severity.Error);
        Assert.Equal(code, Assert.Single(findings, finding => finding.Severity == Severity.Warning).Code);
    }

    [Fact]
    public async Task Full_identity_and_the_embedded_log_do_without_the_findings_on_types()
    {
        const string Schema = "create table t(id int primary key, v smallint[] not null)";
        const string Large = Schema + "; insert into t select 1, array_agg(i) from generate_series(1, 3000) i";
        Assert.DoesNotContain(await CheckAsync(Large + "; alter table t replica identity full", Schema), finding => finding.Severity != Severity.Info);
        Assert.DoesNotContain(await CheckAsync(Large, Schema, LogKind.Embedded), finding => finding.Severity != Severity.Info);
    }

    [Fact]
    public async Task A_column_that_is_reselected_needs_no_finding_on_its_type_and_must_be_there()
    {
        const string Schema = "create table t(id int primary key, a int[], b bit(3)[] not null, c timetz, d smallint[] not null)";
        const string Rows = "; insert into t select 1, '[5:5]={1}', '{101}', '12:00+00', array_agg(i) from generate_series(1, 3000) i";
        Assert.DoesNotContain(await CheckAsync(Schema + Rows, Schema, reselect: ["a", "b", "c", "d"]), finding => finding.Severity != Severity.Info);
        Assert.Equal(["key-reselected", "missing-column"], (await CheckAsync(Schema, Schema, reselect: ["a", "b", "c", "d", "e", "id"]))
            .Where(finding => finding.Severity == Severity.Error).Select(finding => finding.Code).Order());
    }

    [Fact]
    public async Task Offsets_with_seconds_and_dates_before_Christ_are_seen()
    {
        const string Schema = "create table t(id int primary key, z timetz, d date)";
        var findings = await CheckAsync(Schema + "; insert into t values (1, '12:00:00+05:30:15', '2001-01-01 BC')", Schema);
        Assert.Equal(("timetz-offset", "z"), findings.Where(finding => finding.Severity == Severity.Error).Select(finding => (finding.Code, finding.Column)).Single());
        Assert.Contains(findings, finding => finding is { Code: "date-bc", Column: "d", Severity: Severity.Info });
    }

    [Fact]
    public async Task Rights_the_roles_lack_are_named_with_the_grant()
    {
        await using var source = await postgres.CreateSourceAsync("create table t(id int primary key); create role poor_source login");
        await using var target = await postgres.CreateTargetAsync("create table t(id int primary key); create role poor_target login");
        var database = await target.ScalarAsync<string>("select current_database()::text");
        await target.ExecuteAsync($"revoke temp on database \"{database}\" from public; grant select on t to poor_target");
        var findings = await PostgresPreflight.CheckAsync(
            Definition(As(source.ConnectionString, "poor_source"), As(target.ConnectionString, "poor_target"), LogKind.Kafka), Carriage(LogKind.Kafka), looksAtValues: true, CancellationToken.None);
        Assert.Equal(
            ["control-schema", "permission", "permission", "replication-role", "temporary-tables"],
            findings.Where(finding => finding.Severity == Severity.Error).Select(finding => finding.Code).Order());
        Assert.Contains(findings, finding => finding.Code == "replication-attribute");
        Assert.Contains(findings, finding => finding.Message.Contains("INSERT, UPDATE, DELETE", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding.Fix.Contains("GRANT SET ON PARAMETER session_replication_role TO \"poor_target\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_side_that_does_not_answer_is_a_finding()
    {
        await using var target = await postgres.CreateTargetAsync("create table t(id int primary key)");
        var findings = await PostgresPreflight.CheckAsync(
            Definition("Host=127.0.0.1;Port=1;Database=x;Username=x;Timeout=3", target.ConnectionString, LogKind.Kafka), Carriage(LogKind.Kafka), looksAtValues: true, CancellationToken.None);
        Assert.Equal("source-unreachable", Assert.Single(findings, finding => finding.Severity == Severity.Error).Code);
        findings = await PostgresPreflight.CheckAsync(
            Definition(target.ConnectionString, new Npgsql.NpgsqlConnectionStringBuilder(target.ConnectionString) { Database = "nowhere" }.ConnectionString, LogKind.Kafka), Carriage(LogKind.Kafka), looksAtValues: true, CancellationToken.None);
        Assert.Equal("target-no-database", Assert.Single(findings, finding => finding.Severity == Severity.Error).Code);
    }

    [Fact]
    public async Task Money_in_the_style_the_connector_reads_is_fine_whatever_the_sessions_own_is() =>
        Assert.DoesNotContain(await CheckAsync("create table t(id int primary key, m money)", "create table t(id int primary key, m money)"), finding => finding.Severity != Severity.Info);

    private static string As(string connection, string role) => new Npgsql.NpgsqlConnectionStringBuilder(connection) { Username = role }.ConnectionString;

    private static MigrationDefinition Definition(string source, string target, LogKind log) => new()
    {
        Name = "test",
        Source = new SourceSection(SourceKind.PostgreSql, source),
        Target = new TargetSection(target),
        Log = new LogSection { TopicPrefix = "p", Kind = log },
        Tables = [new TableMapping { Source = new TableName("public", "t"), Target = new TableName("public", "t") }],
    };

    private static Func<ColumnType, Carriage>? Carriage(LogKind log) => log == LogKind.Embedded ? null : type => EventFidelity.Of(type, Faithful);

    private async Task<IReadOnlyList<Finding>> CheckAsync(string source, string target, LogKind log = LogKind.Kafka, string[]? reselect = null)
    {
        await using var from = await postgres.CreateSourceAsync(source);
        await using var to = await postgres.CreateTargetAsync(target);
        var definition = Definition(from.ConnectionString, to.ConnectionString, log);
        definition = definition with { Tables = [definition.Tables[0] with { Reselect = reselect?.ToHashSet() ?? [] }] };
        return await PostgresPreflight.CheckAsync(definition, Carriage(log), looksAtValues: true, CancellationToken.None);
    }
}

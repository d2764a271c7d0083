using System.Numerics;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.IntegrationTests.Comparing;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Checking;

/// <summary>What the checks beside the rows read of real databases.</summary>
public sealed class CheckTests(PostgresFixture postgres)
{
    private const string Rows = "create table t(id int primary key, n numeric, v text); insert into t select i, i * 1.5, 'v' from generate_series(1, 300) i";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rule_is_asked_on_both_sides_in_the_roles_own_search_path()
    {
        await using var scene = await CheckScene.CreateAsync(postgres, Rows, null, "public.t");
        var equal = await scene.RuleAsync("select sum(n) from t", "select sum(n)::float8 from public.t;");
        Assert.Equal((CheckState.Pass, "67725.0", "67725"), (equal.State, equal.Source, equal.Target));
        await scene.Target.ExecuteAsync("update t set n = n + 0.25 where id = 7");
        var broken = await scene.RuleAsync("select sum(n) from t", "select sum(n) from t -- all of it");
        Assert.Equal((CheckState.Fail, "0.25"), (broken.State, broken.Difference));
        scene.OnItsWay("public.t", "1");
        Assert.Equal(CheckState.InFlight, (await scene.RuleAsync("select sum(n) from t", "select sum(n) from t")).State);
        Assert.Equal(CheckState.Pass, (await scene.RuleAsync("select v, count(*) from t group by v", "select v, count(*) from t group by v")).State);
    }

    [Theory]
    [InlineData("select count(*) from t")]
    [InlineData("select count(*) from v")]
    public async Task A_rule_over_a_table_that_is_truncated_behind_the_snapshot_is_not_decided(string query)
    {
        await using var scene = await CheckScene.CreateAsync(postgres, $"{Rows}; create view v as select * from t", null, "public.t");
        await using var writer = await scene.Source.DataSource.OpenConnectionAsync(Token);
        await using var truncating = await writer.BeginTransactionAsync(Token);
        await using (var truncate = new NpgsqlCommand("truncate t", writer))
        {
            await truncate.ExecuteNonQueryAsync(Token);
        }

        // The snapshot is taken before the commit, the table read behind it: empty, as no snapshot of then shows it.
        var asked = scene.RuleAsync(query, query);
        while (!await scene.Source.ScalarAsync<bool>("select exists (select from pg_locks l where l.relation = 't'::regclass and not l.granted)"))
        {
            Assert.False(asked.IsCompleted);
            await Task.Yield();
        }

        await truncating.CommitAsync(Token);
        Assert.Equal("table-rewritten", (await Assert.ThrowsAsync<FaultException>(() => asked)).Fault.Code);
        Assert.Equal((CheckState.Fail, "0", "300"), (await scene.RuleAsync(query, query)) is var later ? (later.State, later.Source, later.Target) : default);
    }

    [Theory]
    [InlineData("select 1", "select missing from t", "target: 42703")]
    [InlineData("select sum(n) from nowhere", "select 1", "source: 42P01")]
    [InlineData("select 1", "select 1; delete from t", "target: 42601")]
    [InlineData("select 1", "with d as (delete from t returning 1) select count(*) from d", "target: 0A000")]
    [InlineData("select 1", "select setval('s', 7)", "target: 25006")]
    [InlineData("select 1", "select 1 from pg_sleep(60)", "target: The query took longer than 1 s")]
    public async Task A_rule_that_cannot_be_asked_is_an_error_of_its_side_and_changes_nothing(string source, string target, string message)
    {
        await using var scene = await CheckScene.CreateAsync(postgres, $"{Rows}; create sequence s", null, "public.t");
        var result = await scene.RuleAsync(source, target, TimeSpan.FromSeconds(1));
        Assert.Equal(CheckState.Error, result.State);
        Assert.StartsWith($"rule r, {message}", result.Message, StringComparison.Ordinal);
        Assert.Equal(300, await scene.Target.ScalarAsync<long>("select count(*) from t"));
    }

    [Fact]
    public async Task Counts_and_sums_of_keys_are_exact_and_a_sample_meets_rows_of_either_side()
    {
        await using var scene = await CheckScene.CreateAsync(postgres, $"{Rows}; analyze t", null, "public.t");
        Assert.Equal((CheckState.Pass, "300", "300"), (await scene.CountAsync("public.t")) is var equal ? (equal.State, equal.Source, equal.Target) : default);
        Assert.Equal(CheckState.Pass, (await scene.SampleAsync("public.t")).State);
        await scene.Target.ExecuteAsync("update t set id = 999 where id = 7");
        Assert.Equal("as many rows, but other keys", (await scene.CountAsync("public.t")).Message);
        var sampled = await scene.SampleAsync("public.t");
        Assert.Equal((CheckState.Fail, "2"), (sampled.State, sampled.Difference));
        scene.OnItsWay("public.t", "7");
        Assert.Equal("1 of the difference is not on its way".Replace("1", "-1", StringComparison.Ordinal), (await scene.CountAsync("public.t")).Message);
        scene.OnItsWay("public.t", "999");
        Assert.Equal(CheckState.Pass, (await scene.CountAsync("public.t")).State);
    }

    /// <summary>Rows of which there is one each among twenty thousand: by chance a sample meets one of twenty.</summary>
    [Fact]
    public async Task Rows_with_the_longest_and_with_edge_values_of_either_side_and_those_around_restarts_are_always_in_a_sample()
    {
        string[] odd =
        [
            "note = repeat('y', 3000)", "note = ''", "note = null", "note = 'ü'", "note = e'a\\\\b'", "note = 'a '", "doc = 'null'", "doc = '{}'", "amount = 0.00", "amount = 'NaN'", "amount = -1e20",
            "f = '-0'", "f = 'infinity'", "f = 0", "day = 'infinity'", "day = '0044-03-15 BC'", "raw = ''", "tags = '{}'", "tags = '{{1,2},{3,4}}'", "span = 'empty'", "code = repeat('z', 300)", "small = 0", "gap = '-10 years'",
        ];
        const string plain = "(i, 'v' || i, '{\"a\":1}'::jsonb, i::numeric, i::float8, date '2000-01-01' + i, '\\xff'::bytea, '{1}'::int[], '[1,5)'::int4range, 'c' || i, 1, i * interval '1 second')";
        var odds = string.Join(";\n", odd.Select((set, i) => $"update t set {set} where id = {(i * 700) + 350}"));
        var tame = $"begin; create temporary table o on commit drop as select r.* from generate_series(350, 19950, 700) i cross join lateral (values {plain}) as r; delete from t where id % 700 = 350; insert into t select * from o; commit";
        await using var scene = await CheckScene.CreateAsync(postgres, $"""
            create domain code as varchar(400); create table t(id int primary key, note text, doc jsonb, amount numeric, f float8, day date, raw bytea, tags int[], span int4range, code code, small smallint, gap interval);
            insert into t select r.* from generate_series(1, 20000) i cross join lateral (values {plain}) as r; create index on t(amount); {odds}; analyze t
            """, null, "public.t");
        Assert.Equal(CheckState.Pass, (await scene.SampleAsync("public.t")).State);
        foreach (var sampled in await scene.OddRowsAsync("public.t"))
        {
            Assert.Empty(odd.Where((_, i) => !sampled.Contains(new RowKey($"{(i * 700) + 350}"))));
        }

        await scene.Target.ExecuteAsync(tame);
        var ofSource = await scene.SampleAsync("public.t");
        Assert.Equal((CheckState.Fail, $"{odd.Length}"), (ofSource.State, ofSource.Difference));
        await scene.Target.ExecuteAsync(odds);
        Assert.Equal(CheckState.Pass, (await scene.SampleAsync("public.t")).State);
        await scene.Source.ExecuteAsync(tame);
        var ofTarget = await scene.SampleAsync("public.t");
        Assert.Equal((CheckState.Fail, $"{odd.Length}"), (ofTarget.State, ofTarget.Difference));

        await scene.Target.ExecuteAsync($"{tame}; update t set small = 2 where id in (7777, 15555)");
        var restarts = await scene.SampleAsync("public.t", new RowKey("7777"), new RowKey("15555"), new RowKey("99999"));
        Assert.Equal((CheckState.Fail, "2"), (restarts.State, restarts.Difference));
        Assert.Matches("^sampled: 2 of [0-9]+ rows are wrong \\(.*2 around restarts\\)$", restarts.Message);
    }

    [Fact]
    public async Task Schemas_made_by_the_same_statements_are_the_same_and_what_differs_is_named()
    {
        const string schema = """
            create table "Odd Table"(id bigint generated always as identity primary key, "the mail" text not null unique, total numeric(10,2) default 0 check (total >= 0), twice numeric generated always as (total * 2) stored,
                parent bigint references "Odd Table", at timestamptz default now());
            create unique index on "Odd Table"(lower("the mail")) where total > 0;
            """;
        await using var scene = await CheckScene.CreateAsync(postgres, schema, schema, "public.Odd Table");
        var mapping = SidesScene.Mapping("public.Odd Table");
        Assert.Equal((CheckState.Pass, "the same"), Assert.Single(await scene.SchemaAsync(mapping)) is var same ? (same.State, same.Message) : default);
        await scene.Target.ExecuteAsync("""
            create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger twice before insert on "Odd Table" for each row execute function f();
            alter table "Odd Table" enable always trigger twice, alter total drop default, alter at type timestamp, drop constraint "Odd Table_the mail_key", alter twice drop expression, drop constraint "Odd Table_total_check";
            """);
        Assert.Equal(
            [
                "at type Warning", "constraint Odd Table_total_check Warning", "key Odd Table_the mail_key Error", "total default Warning", "trigger twice Error", "twice generated Warning",
            ],
            (await scene.SchemaAsync(mapping)).Where(result => result.State == CheckState.Fail).Select(result => $"{result.Name["public.Odd Table ".Length..]} {result.Severity}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Sequences_are_those_a_column_owns_or_calls_with_how_far_both_are()
    {
        const string schema = """
            create sequence shared increment 10; create table t(id int generated by default as identity (increment -1) primary key, n bigserial, m bigint default nextval('shared'), v text);
            insert into t(id, n, m) values (-40, 70, 5); select setval('shared', 35), setval('t_n_seq', 3);
            """;
        await using var scene = await CheckScene.CreateAsync(postgres, schema, null, "public.t");
        var t = new TableName("public", "t");
        var facts = (await scene.TargetSide.ReadSequencesAsync([t], Token)).ToDictionary(fact => fact.Column);
        Assert.Equal(["id", "m", "n"], facts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((null, -40, -1, "public.t_id_seq"), Of(facts["id"]));
        Assert.Equal((35, 5, 10, "public.shared"), Of(facts["m"]));
        Assert.Equal((3, 70, 1, "public.t_n_seq"), Of(facts["n"]));
        Assert.Null((await scene.SourceSide.ReadSequencesAsync([t], Token))[0].Furthest);
        Assert.Equal((-1, true, true), (facts["id"].Coming, facts["id"].IsIndexed, facts["id"].IsUnique));
        Assert.Equal((null, false, false), (facts["n"].Coming, facts["n"].IsIndexed, facts["n"].IsUnique));

        static (BigInteger?, BigInteger?, long, string) Of(SequenceFact fact) => (fact.Last, fact.Furthest, fact.Increment, fact.Name);
    }

    [Fact]
    public async Task What_migration_tools_noted_is_read_in_any_schema()
    {
        await using var scene = await CheckScene.CreateAsync(
            postgres,
            """
            create table t(id int primary key); create schema app;
            create table app.flyway_schema_history(installed_rank int primary key, version varchar(50), description varchar(200), type varchar(20), script text, checksum int, success boolean);
            insert into app.flyway_schema_history values (1, null, '<< Flyway Schema Creation >>', 'SCHEMA', '', null, true), (2, '1', 'one', 'SQL', 'V1', 11, true), (3, '2', 'two', 'SQL', 'V2', 22, false), (4, '2', 'two', 'SQL', 'V2', 23, true),
                (5, null, 'views', 'SQL', 'R', 5, true), (6, '3', 'three', 'SQL', 'V3', 33, true), (7, '3', 'three', 'UNDO_SQL', 'U3', null, true), (8, '4', 'four', 'SQL', 'V4', 44, false);
            create table databasechangelog(id text, author text, filename text, orderexecuted int, exectype text, md5sum text); insert into databasechangelog values ('1', 'ann', 'a.xml', 1, 'EXECUTED', '9:x');
            create table _prisma_migrations(migration_name text, checksum text, started_at timestamptz, finished_at timestamptz, rolled_back_at timestamptz);
            insert into _prisma_migrations values ('a', 'x', now(), now(), null), ('b', 'y', now(), null, now()), ('c', 'z', now(), null, null);
            create table alembic_version(version_num varchar(32)); insert into alembic_version values ('abc');
            """,
            null, "public.t");
        var facts = (await scene.SourceSide.ReadHistoryAsync(Token)).Select(fact =>
            $"{fact.Tool} {fact.Table} {string.Join(' ', fact.Versions.Select(version => $"{version.Key}={version.Value}").Order(StringComparer.Ordinal))} !{string.Join(',', fact.Failed)}");
        Assert.Equal(
            [
                "Alembic public.alembic_version abc= !", "Flyway app.flyway_schema_history 1=11 2=23 repeatable views=5 !4", "Liquibase public.databasechangelog 1::ann::a.xml=9:x !",
                "Prisma public._prisma_migrations a=x !c",
            ],
            facts.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_found_is_read_by_any_process_as_it_was_kept_and_replaced_as_a_whole()
    {
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(target.DataSource, Token);
        var store = new CheckStore(target.DataSource, "m");
        var owner = await new VerificationStore(target.DataSource, "m").ClaimAsync(Token);
        var at = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var report = new CheckReport
        {
            Kind = CheckKind.Rules,
            At = at,
            Took = TimeSpan.FromMilliseconds(1500),
            Run = 7,
            Evidence = "seen",
            More = 2,
            Asked = new Dictionary<string, string> { ["a \"b\""] = "1" },
            Results = [new CheckResult("a \"b\"", CheckState.InFlight, "ünder way") { Severity = Severity.Warning, Source = "1", PassedAt = at, Fix = "wait" }],
        };
        await store.SaveAsync(report, owner, Token);
        await store.SaveAsync(report with { Kind = CheckKind.Counts }, owner, Token);
        await store.SaveAsync(report, owner, Token);
        Assert.Equivalent(new[] { report with { Kind = CheckKind.Counts }, report }, await store.ReadAsync(Token), strict: true);
        await store.SaveAsync(report with { Fault = "gone", Results = [] }, owner, Token);
        Assert.Equal([CheckState.InFlight, CheckState.Error], (await store.ReadAsync(Token)).Select(found => found.State));
        Assert.Empty(await new CheckStore(target.DataSource, "another").ReadAsync(Token));
    }

    [Fact]
    public async Task A_report_of_a_process_that_lost_its_lease_is_refused_however_late_it_is()
    {
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(target.DataSource, Token);
        var (store, lease) = (new CheckStore(target.DataSource, "m"), new VerificationStore(target.DataSource, "m"));
        var before = await lease.ClaimAsync(Token);
        var now = await lease.ClaimAsync(Token);
        var report = new CheckReport { Kind = CheckKind.Rules, At = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), Run = 7 };
        await store.SaveAsync(report with { Results = [new CheckResult("a", CheckState.Fail, "differs")] }, now, Token);
        var late = report with { At = report.At.AddMinutes(1), Run = 8, Results = [new CheckResult("a", CheckState.Pass, "equal")] };
        Assert.Equal(FaultKind.Fenced, (await Assert.ThrowsAsync<FaultException>(() => store.SaveAsync(late, before, Token))).Fault.Kind);
        Assert.Equal(FaultKind.Fenced, (await Assert.ThrowsAsync<FaultException>(() => store.SaveAsync(late with { Kind = CheckKind.Counts }, before, Token))).Fault.Kind);
        Assert.Equal(CheckState.Fail, Assert.Single(await store.ReadAsync(Token)).State);

        // The owner's own clock may be behind that of the one before it.
        await store.SaveAsync(report with { At = report.At.AddMinutes(-1), Results = late.Results }, now, Token);
        Assert.Equal(CheckState.Pass, Assert.Single(await store.ReadAsync(Token)).State);
    }

    [Fact]
    public async Task A_sequence_that_may_not_be_read_is_no_sequence_that_was_never_used()
    {
        await using var scene = await CheckScene.CreateAsync(postgres, "create table t(id serial primary key)", null, "public.t");
        await scene.Target.ExecuteAsync("create role reads_nothing_much login; grant select on t to reads_nothing_much");
        var connection = new Npgsql.NpgsqlConnectionStringBuilder(scene.Target.ConnectionString) { Username = "reads_nothing_much" };
        await using var limited = CdcMigrator.Postgres.Connections.PostgresConnections.CreateVerify(connection.ConnectionString);
        var refused = await Assert.ThrowsAsync<FaultException>(() => new CdcMigrator.Postgres.Checking.PostgresCheckedSide(limited, true).ReadSequencesAsync([new TableName("public", "t")], Token));
        Assert.Equal("permission", refused.Fault.Code);
        await scene.Target.ExecuteAsync("drop owned by reads_nothing_much; drop role reads_nothing_much");
    }
}

using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Benchmarking;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Service.Benchmarking;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Benchmarking;

/// <summary>Queries of the application on two real databases.</summary>
public sealed class BenchmarkTests(PostgresFixture postgres)
{
    private const string Schema = "create table t(id int primary key, v text); insert into t select i, 'v' || i from generate_series(1, 200) i; create table p(id int, primary key (id)) partition by hash (id); create table p0 partition of p for values with (modulus 1, remainder 0)";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Results_are_noted_in_the_target_where_the_gate_reads_them()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema + "; update t set v = 'other' where id = 7");
        var definition = Definition(source, target,
            Of("equal", "select count(*), max(id) from t"),
            Of("other text", "select id, v from t") with { Target = "select id, v from t order by id desc" },
            Of("refused", "select * from nowhere"),
            Of("writes", "with x as (delete from t returning id) select * from x"));
        var results = await MigrationBenchmark.RunAsync(definition, [], Limit, _ => { }, TestContext.Current.CancellationToken);
        Assert.Equal(["Passed equal", "Different different", "Failed ", "Failed "], results.Select(result => $"{(result.Outcome == BenchmarkOutcome.Slower ? BenchmarkOutcome.Passed : result.Outcome)} {result.Results}"));
        Assert.Contains("read-only transaction", results[3].Reason, StringComparison.Ordinal);
        Assert.Equal(200L, await source.ScalarAsync<long>("select count(*) from t"));

        await using var control = PostgresConnections.CreateControl(target.ConnectionString);
        var store = new BenchmarkStore(control, "b");
        Assert.Equal(results.OrderBy(result => result.Name, StringComparer.Ordinal).Select(Rounded), (await store.ReadAsync(TestContext.Current.CancellationToken)).Select(Rounded));

        await target.ExecuteAsync("update t set v = 'v7' where id = 7");
        var again = Assert.Single(await MigrationBenchmark.RunAsync(definition, ["other text"], Limit, _ => { }, TestContext.Current.CancellationToken));
        Assert.Equal("equal", again.Results);
        Assert.Equal(4, (await store.ReadAsync(TestContext.Current.CancellationToken)).Count);
        Assert.Equal("unknown-benchmark", (await Assert.ThrowsAsync<FaultException>(() => MigrationBenchmark.RunAsync(definition, ["nope"], Limit, _ => { }, TestContext.Current.CancellationToken))).Fault.Code);
    }

    [Fact]
    public async Task What_a_query_reads_is_told_with_the_roots_of_partitions_and_its_place_moves_with_writes()
    {
        var token = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var reads = await PostgresReads.OpenAsync(source.ConnectionString, Limit, token);
        Assert.Equal(["public.p", "public.p0", "public.t"], (await reads.ReadTablesAsync("select (select count(*) from p) from t", token)).Select(table => table.ToString()));
        var place = await reads.ReadPlaceAsync("select * from t", token);
        await source.ExecuteAsync("update t set v = 'w' where id = 1");

        // The server counts a session's writes about a second later.
        while (await reads.ReadPlaceAsync("select * from t", token) == place)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);
            await source.ExecuteAsync("update t set v = 'w' where id = 1");
        }
    }

    [Fact]
    public async Task A_query_that_takes_too_long_is_ended_and_a_side_that_is_away_is_a_fault()
    {
        var token = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var reads = await PostgresReads.OpenAsync(source.ConnectionString, TimeSpan.FromMilliseconds(50), token);
        Assert.Equal("query-time", (await Assert.ThrowsAsync<FaultException>(() => reads.RunAsync("select pg_sleep(3600)", null, token))).Fault.Code);
        Assert.Equal(FaultKind.Unreachable, (await Assert.ThrowsAsync<FaultException>(() => PostgresReads.OpenAsync("Host=127.0.0.1;Port=1;Database=x;Username=x;Timeout=3", Limit, token))).Fault.Kind);
    }

    [Fact]
    public async Task Without_statistics_of_statements_the_top_says_what_is_missing()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        var fault = await Assert.ThrowsAsync<FaultException>(() => MigrationBenchmark.RunTopAsync(Definition(source, source), 5, 1, Limit, _ => { }, TestContext.Current.CancellationToken));
        Assert.Equal("no-statements", fault.Fault.Code);
        Assert.Contains("CREATE EXTENSION", fault.Fault.Fix, StringComparison.Ordinal);
    }

    /// <summary>The view is made by hand: the library behind the extension must be loaded when a server starts.</summary>
    [Fact]
    public async Task Of_the_busiest_statements_those_that_can_be_run_are_and_the_others_say_why_not()
    {
        var token = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Schema);
        if (await source.ScalarAsync<bool>("select not exists (select from pg_available_extensions where name = 'pg_stat_statements')"))
        {
            Assert.Skip("this server comes without pg_stat_statements");
        }

        await source.ExecuteAsync("""
            create extension pg_stat_statements;
            alter extension pg_stat_statements drop view pg_stat_statements;
            drop view pg_stat_statements;
            create view pg_stat_statements as select query, (select oid from pg_database where datname = current_database()) as dbid, total_exec_time from (values
                ('select count(*) from t', 9.0::float8), ('select * from t where id = $1', 8), ('select pg_reload_conf()', 7), ('select 1 + 1', 6), ('select * from gone', 5), ('select max(id) from p', 4), ('update t set v = v', 3))
                as s(query, total_exec_time)
            """);
        await using var target = await postgres.CreateTargetAsync(Schema);
        var results = await MigrationBenchmark.RunTopAsync(Definition(source, target), 20, 2, Limit, _ => { }, token);
        Assert.Equal(
            ["1: select count(*) from t: ran", "2: select * from t where id = $1: it has parameters without", "3: select pg_reload_conf(): it asks the server", "4: select 1 + 1: it reads no table", "5: select * from gone: refused", "6: select max(id) from p: ran"],
            results.Select(result => $"{result.Name}: {(result.Runs > 0 ? "ran" : result.Reason.Contains("refuses", StringComparison.Ordinal) ? "refused" : string.Join(' ', result.Reason.Split(' ').Take(4)))}"));
    }

    private static BenchmarkResult Rounded(BenchmarkResult result) => result with { At = DateTimeOffset.FromUnixTimeMilliseconds(result.At.ToUnixTimeMilliseconds()) };

    private static Benchmark Of(string name, string sql) => new(name, sql, sql, 3);

    private static MigrationDefinition Definition(TestDatabase source, TestDatabase target, params Benchmark[] benchmarks) => new()
    {
        Name = "b",
        Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
        Target = new TargetSection(target.ConnectionString),
        Log = new LogSection { TopicPrefix = "b" },
        Tables = [.. new[] { "t", "p" }.Select(name => new TableMapping { Source = new TableName("public", name), Target = new TableName("public", name) })],
        Benchmarks = benchmarks,
    };
}

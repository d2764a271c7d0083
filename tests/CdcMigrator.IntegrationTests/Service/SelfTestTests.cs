using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.SelfTest;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.SelfTest;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>The proof that comparing finds what is wrong: that it holds, and that it would not hold of a weaker comparison.</summary>
public sealed class SelfTestTests(PostgresFixture postgres)
{
    private const string Leftovers = "select c.relname from pg_class c where c.relname like 'self\\_test\\_%' and c.relkind = 'r'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_seeded_row_is_found_no_other_is_reported_and_nothing_is_left()
    {
        await using var source = await postgres.CreateSourceAsync();
        await using var target = await postgres.CreateTargetAsync();
        var folder = Directory.CreateTempSubdirectory("cdcm-self-test-");
        try
        {
            var file = Path.Combine(folder.FullName, "migration.yaml");
            await File.WriteAllTextAsync(file, $$"""
                migration: proof
                source: { connection: "{{source.ConnectionString}}" }
                target: { connection: "{{target.ConnectionString}}" }
                log: embedded
                tables: [ public.orders ]
                """, Token);
            var run = await Cdcm.RunAsync("verify", "self-test", "-f", file, "-o", "json");
            Assert.True(run.ExitCode == 0, run.Error + run.Output);
            var report = JsonDocument.Parse(run.Output).RootElement;
            Assert.True(report.GetProperty("passed").GetBoolean());
            Assert.Equal(
                ["byte", "swap", "null-or-empty", "null-or-zero", "deleted", "inserted", "same-delta", "trailing-blank", "microsecond", "negative-zero", "json-number"],
                report.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetProperty("kind").GetString()));
            Assert.All(report.GetProperty("kinds").EnumerateArray(), kind => Assert.Equal(kind.GetProperty("seeded").GetInt32(), kind.GetProperty("found").GetInt32()));
            Assert.Equal(6000, report.GetProperty("kinds").EnumerateArray().Single(kind => kind.GetProperty("kind").GetString() == "same-delta").GetProperty("found").GetInt32());
            Assert.Equal(0, report.GetProperty("equalRows").GetProperty("reported").GetInt64());
            Assert.True(report.GetProperty("equalRows").GetProperty("compared").GetInt64() > 200_000);
            Assert.Empty(await source.RowsAsync(Leftovers));
            Assert.Empty(await target.RowsAsync(Leftovers));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public static TheoryData<string, string> Weaker => new()
    {
        { "the sum of a linear hash that takes equal numbers for the same", "swap negative-zero json-number" },
        { "the exclusive or of columns", "swap same-delta" },
        { "without blanks at the end", "trailing-blank" },
        { "NULL as the empty text", "null-or-empty" },
        { "without a column", "byte swap null-or-empty trailing-blank" },
    };

    [Theory]
    [MemberData(nameof(Weaker))]
    public async Task A_weaker_hash_fails_and_the_kinds_it_misses_are_named(string name, string missed)
    {
        await using var source = await postgres.CreateSourceAsync();
        await using var target = await postgres.CreateTargetAsync();
        var report = await RunAsync(Definition(source, target), Weak(name), ScratchWay.Ranges);
        Assert.Equal("database", report.Hashing);
        Assert.False(report.Passed);
        Assert.Equal(missed.Split(' '), report.Kinds.Where(kind => !kind.Passed).Select(kind => kind.Kind));
        Assert.All(report.Kinds.Where(kind => !kind.Passed), kind => Assert.NotEmpty(kind.Missed));
        Assert.Equal(0, report.EqualRows.Reported);
    }

    [Fact]
    public async Task What_a_killed_self_test_left_is_cleared_by_the_next_and_a_second_one_at_the_same_time_is_refused()
    {
        await using var source = await postgres.CreateSourceAsync();
        await using var target = await postgres.CreateTargetAsync();
        await using var here = PostgresConnections.CreateControl(source.ConnectionString);
        await using var there = PostgresConnections.CreateControl(target.ConnectionString);
        var killed = await ScratchTables.CreateAsync(here, there, Token);
        var fault = await Assert.ThrowsAsync<FaultException>(() => RunAsync(Definition(source, target), HashSql.InUse, ScratchWay.Ranges));
        Assert.Equal((FaultKind.NotAllowed, "self-test-running"), (fault.Fault.Kind, fault.Fault.Code));
        Assert.Equal(3, (await source.RowsAsync(Leftovers)).Count);

        const string kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name = 'cdcm-control'";
        await source.RowsAsync(kill);
        await target.RowsAsync(kill);
        await killed.DisposeAsync();
        Assert.Equal(4, (await target.RowsAsync(Leftovers)).Count);
        Assert.True((await RunAsync(Definition(source, target), HashSql.InUse, ScratchWay.Ranges)).Passed);
        Assert.Empty(await source.RowsAsync(Leftovers));
        Assert.Empty(await target.RowsAsync(Leftovers));
    }

    [Fact]
    public async Task A_role_that_may_create_the_control_schema_may_run_it()
    {
        await using var source = await postgres.CreateSourceAsync();
        await using var target = await postgres.CreateTargetAsync();
        foreach (var side in new[] { source, target })
        {
            await side.ExecuteAsync("do $$ begin create role prover login; exception when duplicate_object then null; end $$; do $$ begin execute format('grant create on database %I to prover', current_database()); end $$");
        }

        string As(TestDatabase side) => new NpgsqlConnectionStringBuilder(side.ConnectionString) { Username = "prover" }.ConnectionString;
        var definition = Definition(source, target) with { Source = new SourceSection(SourceKind.PostgreSql, As(source)), Target = new TargetSection(As(target)) };
        Assert.True((await RunAsync(definition, HashSql.InUse, ScratchWay.Keyless)).Passed);
    }

    [Fact]
    public async Task Sources_that_cannot_be_compared_are_refused_by_name()
    {
        await using var target = await postgres.CreateTargetAsync();
        var mariaDb = Definition(target, target) with { Source = new SourceSection(SourceKind.MariaDb, "Server=127.0.0.1") };
        Assert.Equal("self-test-source", (await Assert.ThrowsAsync<FaultException>(() => VerificationSelfTest.RunAsync(mariaDb, Token))).Fault.Code);

        // A server in recovery, as a standby is: it reads WAL that does not come.
        await using var server = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Settings = new Dictionary<string, string> { ["restore_command"] = "false" } }, Token);
        await server.StopAsync(Token);
        await File.WriteAllTextAsync(Path.Combine(server.BaseDirectory, "data", "standby.signal"), "", Token);
        await server.StartAsync(Token);
        var standby = Definition(target, target) with { Source = new SourceSection(SourceKind.PostgreSql, server.ConnectionString()) };
        var fault = (await Assert.ThrowsAsync<FaultException>(() => VerificationSelfTest.RunAsync(standby, Token))).Fault;
        Assert.Equal((FaultKind.NotAllowed, "source-is-standby"), (fault.Kind, fault.Code));
    }

    private static Task<SelfTestReport> RunAsync(MigrationDefinition definition, HashSql hashes, ScratchWay way) =>
        VerificationSelfTest.RunAsync(definition, (source, target) => new PostgresSides(source, target, definition.Name, () => null) { Hashes = hashes }, [way], Token);

    private static HashSql Weak(string name)
    {
        static IEnumerable<string> Texts(RowSql sql) => sql.Values.Select(value => $"{value}::text");
        static HashSql Summed(Func<RowSql, IEnumerable<string>> texts) =>
            new(sql => $"pg_catalog.hashtextextended(pg_catalog.concat_ws('|', {string.Join(", ", texts(sql))}) collate \"C\", 7)", HashSql.InUse.Sum);
        return name switch
        {
            "the sum of a linear hash that takes equal numbers for the same" => new HashSql(
                sql => $"pg_catalog.hash_record_extended(row({string.Join(", ", sql.Values)}), 7)",
                hash => $"((pg_catalog.sum({hash}) % 18446744073709551616 + 18446744073709551616) % 18446744073709551616)"),
            "the exclusive or of columns" => new HashSql(
                sql => string.Join(" # ", Texts(sql).Select((text, i) => $"case when {text} is null then 0 else pg_catalog.hashtextextended({text} collate \"C\", {i}) end")),
                hash => $"pg_catalog.bit_xor({hash})"),
            "without blanks at the end" => Summed(sql => Texts(sql).Select(text => $"coalesce(pg_catalog.rtrim({text}, ' '), '<null>')")),
            "NULL as the empty text" => Summed(sql => Texts(sql).Select(text => $"coalesce({text}, '')")),
            "without a column" => Summed(sql => Texts(sql).Where(text => !text.Contains("\"note\"", StringComparison.Ordinal)).Select(text => $"coalesce({text}, '<null>')")),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
    }

    private static MigrationDefinition Definition(TestDatabase source, TestDatabase target) => new()
    {
        Name = "proof",
        Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
        Target = new TargetSection(target.ConnectionString),
        Log = new LogSection { Kind = LogKind.Embedded, TopicPrefix = "proof" },
        Tables = [],
    };
}

using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>Rows of the target made wrong by the thousand and repaired through the command line while real Debezium feeds it and applications write the source.</summary>
[Collection(typeof(SteadyKit))]
public sealed partial class RepairTests(KitFixture kit)
{
    private const int Each = 600;

    /// <summary>Repaired by the second of the transactions of a repair, which are of 200 rows in the order of their keys.</summary>
    private const string Held = "3300";

    [Fact]
    public async Task Thousands_of_wrong_rows_are_repaired_under_load_though_the_service_is_killed_in_the_middle_of_it()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(
            kit, "repair", ShopSchema.Sql, ShopSchema.Tables, connection => ShopSchema.LoadAsync(connection, 20_000, token));
        stack.Verify = "{ sampleAbove: 1000 }";
        await stack.RegisterAsync(MigrationFormat.Json);
        var service = stack.StartService();
        await stack.DrainAsync(token);
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = 100 });
        await workload.WaitForAcknowledgedAsync(100, token);

        // Rows of the seed that the workload does not adopt: other values, rows that are gone, rows too many.
        await ExecuteAsync(stack.Target, $"""
            begin; set local session_replication_role = replica;
            update customers set name = name || ' ', biography = null where id between 3001 and 3000 + {Each};
            delete from customers where id between 4001 and 4000 + {Each};
            insert into customers (id, email, name) select 900000000000 + i, 'surplus' || i, 'surplus' from generate_series(1, {Each}) i;
            commit;
            """);
        var found = await RunAsync(service, "verify", "start", "--wait", "--timeout", "4m");
        Assert.True(found.ExitCode == 3, found.Error + service.Log);
        Assert.Equal(3 * Each, Parse(found).GetProperty("tables").EnumerateArray().Sum(table => table.GetProperty("wrong").GetInt32()));

        // Somebody holds a row, so that the repair stands in the middle of its second transaction; there its process is killed.
        await using (var holder = await stack.Target.OpenConnectionAsync(token))
        await using (var hold = await holder.BeginTransactionAsync(token))
        {
            await using (var command = new NpgsqlCommand($"select from customers where id = {Held} for update", holder))
            {
                await command.ExecuteNonQueryAsync(token);
            }

            var repairing = RunAsync(service, "tables", "repair", "public.customers", "--all-wrong", "--timeout", "4m");
            await stack.WaitAsync("the repair to wait for a row", async () => await ScalarAsync(stack.Target, $"select count(*) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0 and {holder.ProcessID} = any(pg_blocking_pids(pid))") > 0, token);
            await service.KillAsync();
            Assert.Equal(4, (await repairing).ExitCode);
            await hold.RollbackAsync(token);
        }

        await stack.WaitAsync("the killed repair to be undone", async () => await ScalarAsync(stack.Target, "select count(*) from pg_locks l join pg_stat_activity a using (pid) where a.wait_event_type = 'Lock'") == 0, token);
        Assert.Equal(200, await ScalarAsync(stack.Target, Journaled));
        Assert.Equal(Each - 200, await ScalarAsync(stack.Target, $"select count(*) from customers where id between 3001 and 3000 + {Each} and name like '% '"));

        service = stack.StartService();
        await stack.WaitAsync("lanes of the next process", async () => (await service.LanesAsync()).Count > 0, token);
        var repaired = await RunAsync(service, "tables", "repair", "public.customers", "--all-wrong", "--timeout", "4m");
        Assert.True(repaired.ExitCode == 0, repaired.Output + repaired.Error + service.Log);
        var report = Parse(repaired);
        Assert.InRange(report.GetProperty("repaired").GetInt64(), (3 * Each) - 200, 3 * Each);
        const string seeded = "select coalesce(sum(hashtextextended(c::text, 0)), 0)::text || ' ' || count(*) from customers c where id between 3001 and 5000 or id > 900000000000";
        Assert.Equal(await TextAsync(stack.Source, seeded), await TextAsync(stack.Target, seeded));
        Assert.Equal(3 * Each, await ScalarAsync(stack.Target, Journaled));

        // Counted by what was done, and by requests: a long repair is several.
        var metrics = await MetricsAsync(service);
        Assert.Equal(report.GetProperty("repaired").GetInt64(), metrics.Where(series => series.Key.StartsWith("cdcmigrator_repaired_rows_total", StringComparison.Ordinal)).Sum(series => series.Value));
        Assert.Contains(metrics, series => series.Key.Contains("action=\"inserted\"", StringComparison.Ordinal) && series.Value == Each);
        Assert.Contains(metrics, series => series.Key.StartsWith("cdcmigrator_repair_runs_total", StringComparison.Ordinal) && series.Key.Contains("outcome=\"done\"", StringComparison.Ordinal) && series.Value >= 1);

        await stack.WaitAsync("the repaired rows to be found equal", async () => Named(await RunAsync(service, "verify", "show")) == 0, token);

        // A sample looks at what changed about when the killed process's lanes were taken over.
        await stack.WaitAsync("a sample with rows around the restart", async () =>
            Around().Match((await RunAsync(service, "verify", "checks", "samples", "--all")).Output) is { Success: true } match && int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) > 0, token);

        await workload.StopAsync(token);
        await stack.DrainAsync(token);
        var equal = await RunAsync(service, "verify", "start", "--wait", "--timeout", "3m");
        Assert.True(equal.ExitCode == 0, equal.Output + equal.Error);
    }

    private const string Journaled = """
        select count(distinct e ->> 'key') from cdc_migrator.journal, jsonb_array_elements(evidence) e where event = 'rows-repaired' and e ->> 'table' = 'public.customers'
        """;

    [GeneratedRegex("sampled: [^\"]* ([0-9]+) around restarts")]
    private static partial Regex Around();

    private static Task<ProcessResult> RunAsync(ServiceProcess service, params string[] verb) => Cdcm.RunAsync([.. verb, "--server", service.Address.ToString(), "-o", "json"]);

    private static JsonElement Parse(ProcessResult result) => JsonDocument.Parse(result.Output).RootElement;

    private static int Named(ProcessResult shown) =>
        shown.ExitCode is 0 or 3 ? Parse(shown).GetProperty("tables").EnumerateArray().Sum(table => table.GetProperty("mismatches").GetArrayLength()) : -1;

    private static async Task<Dictionary<string, double>> MetricsAsync(ServiceProcess service)
    {
        using var http = new HttpClient();
        var text = await http.GetStringAsync(new Uri(service.Address, "/metrics"));
        return text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').ToDictionary(line => line[..line.LastIndexOf(' ')], line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<long> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
    }

    private static async Task<string?> TextAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (string?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}

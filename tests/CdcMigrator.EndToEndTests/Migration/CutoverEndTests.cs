using System.Text.Json;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>A cutover from its plan to the end of the migration with real Debezium: what is said of it beforehand, what its evidence is worth, and what is left behind.</summary>
[Collection(typeof(SteadyKit))]
public sealed class CutoverEndTests(KitFixture kit, ITestOutputHelper output)
{
    [Fact]
    public async Task A_plan_changes_nothing_the_evidence_holds_by_sql_alone_and_a_migration_that_is_over_leaves_nothing_behind()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var stack = await Shop.StartAsync(kit, "ending");
        stack.Cutover = "{ budget: 5m, maxLag: 5m, deadlines: { fencing: 1m, draining: 1m, finalVerify: 1m, reverseArmed: 1m } }";
        var points = stack.FailPoints = Directory.CreateTempSubdirectory("cdcm-points-").FullName;
        await stack.RegisterAsync(MigrationFormat.Json);
        var service = stack.StartService();
        await stack.DrainAsync(token);
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = 50, AdoptedCustomers = 50 });
        await using var router = new Router(stack, workload);
        Assert.Equal(0, (await RunAsync(service, "cutover", "prepare")).ExitCode);
        await stack.WaitAsync("a comparison without rows on their way", () => CutoverTests.IsEqualAsync(service), token);

        await stack.WaitAsync("a plan of an attempt that could begin", async () =>
        {
            var plan = await RunAsync(service, "cutover", "plan");
            Assert.True(plan.ExitCode is 0 or 3, plan.Output + plan.Error);
            var parts = Parse(plan).GetProperty("predicted").EnumerateArray().Select(part => part.GetProperty("p99Ms").GetDouble()).ToList();
            Assert.True(plan.ExitCode == 3 || (parts.Count > 0 && parts.Sum() > 0), plan.Output);
            return plan.ExitCode == 0;
        }, token);
        Assert.Equal((true, false), await router.OpenAsync());
        Assert.Equal(0, await CountAsync(stack.Source, "select count(*) from cdc_migrator.journal where event like 'fence-%' or event like 'cutover-%'"));

        await RefuseRestartedAsync(stack, service, points, token);
        Assert.Equal((true, false), await router.OpenAsync());
        await RefuseUnpublishedAsync(stack, service, workload, points, token);
        Assert.Equal((true, false), await router.OpenAsync());

        router.Name("target");
        await stack.WaitAsync("the cutover", async () =>
        {
            var begun = await RunAsync(service, "cutover", "start", "--yes");
            Assert.True(begun.ExitCode is 0 or 3 or 5 or 6, begun.Output + begun.Error);
            return begun.ExitCode == 0;
        }, token);
        await stack.WaitAsync("writes on the target", () => Task.FromResult(workload.Ledger.AcknowledgedBy("target") > 20), token);
        var evidence = await RunAsync(service, "cutover", "evidence", "--format", "json");
        Assert.True(evidence.ExitCode == 0, evidence.Error);
        await CheckAsync(stack, Parse(evidence));
        var offline = await stack.RunAsync("cutover", "evidence", "--format", "json");
        Assert.Equal(evidence.Output, offline.Output);

        // Whoever ends the migration dies behind the decision: another process takes away what is left.
        Assert.Equal(2, await CountAsync(stack.Source, Slots) + await CountAsync(stack.Target, Slots));
        var ending = RunAsync(service, "cutover", "complete", "--yes");
        await stack.WaitAsync("the decision", async () => await CountAsync(stack.Target, "select count(*) from cdc_migrator.fence_state where completed_at is not null") == 1, token);
        await service.KillAsync();
        await ending;
        service = stack.StartService();
        await stack.WaitAsync("everything to be taken away", async () => await CountAsync(stack.Target, "select count(*) from cdc_migrator.journal where event = 'completion-finished'") == 1, token);
        Assert.Equal(0, await CountAsync(stack.Source, Slots) + await CountAsync(stack.Target, Slots));
        Assert.Equal(0, await CountAsync(stack.Source, "select count(*) from pg_publication") + await CountAsync(stack.Target, "select count(*) from pg_publication"));
        using var http = new HttpClient();
        Assert.DoesNotContain($"\"{stack.Name}", await http.GetStringAsync(new Uri(kit.ConnectUrl, "/connectors"), token), StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(service, "cutover", "complete", "--yes")).ExitCode);
        Assert.Equal(6, (await RunAsync(service, "rollback", "--yes")).ExitCode);

        // Applications go on in the target, without a trigger of ours; the source stays closed.
        Assert.Equal(0, await CountAsync(stack.Target, "select count(*) from pg_trigger where tgname like 'cdcm%'"));
        Assert.Equal("25006", (await Assert.ThrowsAsync<PostgresException>(() => CountAsync(stack.Source, "with gone as (delete from receipts returning 1) select count(*) from gone"))).SqlState);
        await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + 20, token);
        await workload.StopAsync(token);
        var verdict = await workload.CheckAsync(stack.TargetConnection, token);
        Assert.True(verdict.Kept, verdict.ToString());
        Directory.Delete(points, recursive: true);
        output.WriteLine($"{workload.Ledger.Acknowledged} acknowledged, all kept");
    }

    /// <summary>Between the gate and the fence somebody takes a table out of the publication: what is written to it from then on is in no log, and nothing is drained or compared of it.</summary>
    private static async Task RefuseUnpublishedAsync(MigrationStack stack, ServiceProcess service, ShopWorkload workload, string points, CancellationToken token)
    {
        var undone = await AttemptAsync(stack, service, points, async () =>
        {
            await CountAsync(stack.Source, $"alter publication {stack.Slot} drop table receipts; select 0");
            await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + 20, token);
        }, token);
        Assert.Equal((6, "source-changed"), (undone.ExitCode, Parse(undone).GetProperty("fault").GetProperty("code").GetString()));
        Assert.Contains("does not have it", undone.Output, StringComparison.Ordinal);

        // Put back, it must be copied again: what was written meanwhile is in no log.
        await CountAsync(stack.Source, $"alter publication {stack.Slot} add table receipts; select 0");
        Assert.True((await RunAsync(service, "cutover", "start", "--yes")).ExitCode is 3 or 6);
        var copied = await RunAsync(service, "tables", "resync", "public.receipts", "--yes", "--wait", "--timeout", "4m");
        Assert.True(copied.ExitCode == 0, copied.Output + copied.Error);
        await stack.WaitAsync("a comparison without rows on their way", () => CutoverTests.IsEqualAsync(service), token);
    }

    /// <summary>Between the gate and the fence the connector begins anew: what it had not published when it stopped may be lost, and was not compared since.</summary>
    private async Task RefuseRestartedAsync(MigrationStack stack, ServiceProcess service, string points, CancellationToken token)
    {
        var undone = await AttemptAsync(stack, service, points, async () =>
        {
            var before = (await SlotState.ReadAsync(stack.Source, stack.Slot, token))!.Reader;
            Assert.NotNull(before);
            using var connect = new ConnectClient(kit.ConnectUrl);
            await connect.RestartAsync($"{stack.Name}-source", onlyFailed: false, token);
            await stack.WaitAsync("another session to read the slot", async () => (await SlotState.ReadAsync(stack.Source, stack.Slot, token))?.Reader is { } reader && reader != before, token);
        }, token);
        Assert.Equal((6, "connector-restarted"), (undone.ExitCode, Parse(undone).GetProperty("fault").GetProperty("code").GetString()));
    }

    /// <summary>Begins an attempt once the gate is open, has something happen while it stands before the fence, and says how it ended.</summary>
    private static async Task<ProcessResult> AttemptAsync(MigrationStack stack, ServiceProcess service, string points, Func<Task> meanwhile, CancellationToken token)
    {
        var (point, reached) = (Path.Combine(points, "Fence.begin"), Path.Combine(points, "Fence.begin.reached"));
        await File.WriteAllTextAsync(point, "wait", token);
        var attempt = Task.FromResult<ProcessResult>(null!);
        await stack.WaitAsync("an attempt to come to the fence", async () =>
        {
            attempt = attempt.IsCompleted && await service.IsGateOpenAsync(forward: true) ? RunAsync(service, "cutover", "start", "--yes") : attempt;
            return File.Exists(reached);
        }, token);
        await meanwhile();
        File.Delete(reached);
        return await attempt;
    }

    private const string Slots = "select count(*) from pg_replication_slots";

    /// <summary>Asks the databases what the evidence says may be asked.</summary>
    private static async Task CheckAsync(MigrationStack stack, JsonElement evidence)
    {
        var checks = evidence.GetProperty("checks").EnumerateArray().Select(check => (
            Side: check.GetProperty("side").GetString(), Claim: check.GetProperty("claim").GetString(), Sql: check.GetProperty("sql").GetString()!, Expected: check.GetProperty("expected").GetString()!)).ToList();
        Assert.True(checks.Count > 10, evidence.ToString());
        foreach (var (side, claim, sql, expected) in checks)
        {
            await using var command = (side == "source" ? stack.Source : stack.Target).CreateCommand(sql);
            await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            var rows = new List<string>();
            while (await reader.ReadAsync())
            {
                rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i))));
            }

            var first = rows.FirstOrDefault() ?? "";
            var holds = expected.Split(':', ';')[0] switch
            {
                "no rows" => rows.Count == 0,
                "one row" => rows.Count == 1,
                "two rows" => rows.Count == 2 && first.StartsWith("fence-closed", StringComparison.Ordinal),
                var text when text.StartsWith("each further", StringComparison.Ordinal) => rows.Count > 0,
                var text when text.StartsWith("as in", StringComparison.Ordinal) || text.StartsWith("the rows at", StringComparison.Ordinal) => rows.Count == 1,
                var text => first == text,
            };
            Assert.True(holds, $"{side}: {claim}: {sql} gave {string.Join("; ", rows)}, expected: {expected}");
        }
    }

    private static Task<ProcessResult> RunAsync(ServiceProcess service, params string[] verb) => Cdcm.RunAsync([.. verb, "--server", service.Address.ToString(), "-o", "json"]);

    private static JsonElement Parse(ProcessResult result) => JsonDocument.Parse(result.Output).RootElement;

    private static async Task<long> CountAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), System.Globalization.CultureInfo.InvariantCulture);
    }
}

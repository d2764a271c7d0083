using System.Text.Json;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>Source and target compared through the command line while real Debezium feeds the one from the other.</summary>
[Collection(typeof(SteadyKit))]
public sealed class VerificationTests(KitFixture kit)
{
    private static readonly string[] WrongKeys = ["5007", "5008", "5009", "5010", "900000000001"];

    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.Avro)]
    public async Task Wrong_rows_are_named_and_nothing_else_while_both_sides_are_written_and_the_service_is_killed(MigrationFormat format)
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(
            kit, $"verify-{format}".ToLowerInvariant(), ShopSchema.Sql, ShopSchema.Tables, connection => ShopSchema.LoadAsync(connection, 20_000, token));
        await stack.RegisterAsync(format);
        var service = stack.StartService();
        await stack.DrainAsync(token);
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = 200 });
        await workload.WaitForAcknowledgedAsync(100, token);
        Assert.Empty(await WrongAsync(service, token));

        // Rows of the seed that the workload does not adopt: a trailing blank, a row that is gone, two rows with each other's text, and a row too many.
        await ExecuteAsync(stack.Target, """
            create table public.kept as select * from customers where id in (5007, 5008, 5009, 5010);
            begin; set local session_replication_role = replica;
            update customers set name = name || ' ' where id = 5007;
            delete from customers where id = 5008;
            update customers c set biography = o.id::text from public.kept o where c.id in (5009, 5010) and o.id = 10019 - c.id;
            insert into customers (id, email, name) values (900000000001, 'surplus', 'surplus');
            commit;
            """);
        for (var pass = 0; pass < 5; pass++)
        {
            Assert.Equal(WrongKeys, await WrongAsync(service, token));
        }

        // A process that is killed in a pass: another goes on with it.
        var asked = await Cdcm.RunAsync("verify", "start", "--server", service.Address.ToString(), "-o", "json");
        var run = JsonDocument.Parse(asked.Output).RootElement.GetProperty("runId").GetInt64();
        await service.KillAsync();
        service = stack.StartService();
        JsonElement report = default;
        await stack.WaitAsync("the comparison to go on in the next process", async () => (report = await ShowAsync(service, run)) is { ValueKind: JsonValueKind.Object }
            && report.GetProperty("state").GetString() == "finished", token);
        Assert.Equal(WrongKeys, Keys(report));

        // Mended rows are found equal by themselves: what was wrong is looked at again and again.
        await ExecuteAsync(stack.Target, """
            begin; set local session_replication_role = replica;
            delete from customers where id in (5007, 5008, 5009, 5010, 900000000001);
            insert into customers overriding system value select * from public.kept;
            commit;
            """);
        await stack.WaitAsync("the mended rows to be found equal", async () => (report = await ShowAsync(service, run)) is { ValueKind: JsonValueKind.Object } && Keys(report).Count == 0, token);

        await workload.StopAsync(token);
        await stack.DrainAsync(token);
        var equal = await Cdcm.RunAsync("verify", "start", "--wait", "--timeout", "3m", "--server", service.Address.ToString(), "-o", "json");
        Assert.True(equal.ExitCode == 0, equal.Output + equal.Error);
        Assert.All(JsonDocument.Parse(equal.Output).RootElement.GetProperty("tables").EnumerateArray(), table => Assert.Equal("Equal", table.GetProperty("verdict").GetString()));
        await stack.WaitAsync("the gate to open", async () => (await GateAsync(service)).GetProperty("open").GetBoolean(), token);

        // What happens to the target behind everyone's back is found by the next pass, and closes the gate.
        await ExecuteAsync(stack.Target, "begin; set local session_replication_role = replica; update customers set name = 'changed by hand' where id = 5007; commit");
        Assert.Equal(["5007"], await WrongAsync(service, token));
        var gate = await GateAsync(service);
        Assert.False(gate.GetProperty("open").GetBoolean());
        Assert.Contains(gate.GetProperty("criteria").EnumerateArray(), criterion => criterion.GetProperty("name").GetString() == "rogueWrites" && criterion.GetProperty("state").GetString() == "FAIL");
    }

    private static async Task<IReadOnlyList<string>> WrongAsync(ServiceProcess service, CancellationToken token)
    {
        var result = await Cdcm.RunAsync("verify", "start", "--wait", "--timeout", "4m", "--server", service.Address.ToString(), "-o", "json");
        token.ThrowIfCancellationRequested();
        Assert.True(result.ExitCode is 0 or 3, $"{result.Error}\n{service.Log}");
        return Keys(JsonDocument.Parse(result.Output).RootElement);
    }

    private static async Task<JsonElement> ShowAsync(ServiceProcess service, long run)
    {
        var result = await Cdcm.RunAsync("verify", "show", $"{run}", "--server", service.Address.ToString(), "-o", "json");
        return result.ExitCode is 0 or 3 ? JsonDocument.Parse(result.Output).RootElement : default;
    }

    private static async Task<JsonElement> GateAsync(ServiceProcess service)
    {
        var check = await Cdcm.RunAsync("cutover", "check", "--server", service.Address.ToString(), "-o", "json");
        Assert.True(check.ExitCode is 0 or 3, check.Error);
        var gate = JsonDocument.Parse(check.Output).RootElement;
        Assert.Equal(check.ExitCode == 0, gate.GetProperty("open").GetBoolean());
        return gate;
    }

    private static IReadOnlyList<string> Keys(JsonElement report) =>
    [
        .. report.GetProperty("tables").EnumerateArray().SelectMany(table => table.GetProperty("mismatches").EnumerateArray())
            .Select(row => row.GetProperty("key").EnumerateObject().Single().Value.GetString()!).Order(StringComparer.Ordinal),
    ];

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}

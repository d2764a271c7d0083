using System.Globalization;
using System.Text.Json;
using CdcMigrator.EndToEndTests.Migration;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;
using MySqlConnector;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>A MariaDB source and its target compared and repaired through the command line while real Debezium feeds the one from the other.</summary>
[Collection(typeof(SteadyKit))]
public sealed class MariaDbVerificationTests(KitFixture kit, MariaDbFixture mariaDb)
{
    private const string SourceSql = """
        create table customers (id bigint unsigned not null primary key, email varchar(190) not null unique, name varchar(100) not null, credit decimal(14,2), changed timestamp(6) not null default current_timestamp(6));
        create table devices (id binary(16) not null primary key, owner binary(16), born date not null, active tinyint(1) not null, kind enum('a,b','c') not null, note text);
        set session sql_mode = '';
        insert into customers (id, email, name, credit) select seq, concat('c', seq), concat('Customer ', seq, ' 🛒'), seq / 7 from seq_1_to_5000;
        insert into devices select unhex(md5(seq)), if(seq % 5 = 0, null, unhex(md5(seq + 1))), if(seq % 4 = 0, '0000-00-00', '2000-01-01' + interval seq day), seq % 3, 1 + seq % 2, concat('n', seq) from seq_1_to_2000;
        """;

    private const string TargetSql = """
        create table customers (id bigint primary key, email text not null unique, name text not null, credit numeric(14, 2), changed timestamptz not null);
        create table devices (id uuid primary key, owner uuid, born date not null, active boolean not null, kind text not null, note text);
        """;

    private const string Mapping = "{ born: { zeroDate: epoch }, active: { nonBoolean: true }, kind: { labels: { \"a,b\": \"a/b\" } }, owner: { uuidFormat: timeSwapBinary16 } }";

    /// <summary>The two devices that are made wrong, of the rows 1502 and 1500, by their keys as they are compared.</summary>
    private static readonly string[] WrongDevices = ["77f959f119f4fb2321e9ce801e2f5163", "cfa5301358b9fcbe7aa45b1ceea088c6"];

    private static readonly string[] WrongKeys = ["3001", "3002", "3003", "3004", WrongDevices[0], "9000000001", WrongDevices[1]];

    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.Avro)]
    public async Task Wrong_rows_are_named_and_repaired_and_nothing_else_while_both_sides_are_written_and_the_service_is_killed(MigrationFormat format)
    {
        var token = TestContext.Current.CancellationToken;
        await using var stack = await MariaDbStack.StartAsync(kit, mariaDb, $"mverify-{format}".ToLowerInvariant(), SourceSql, TargetSql);
        var (customers, devices) = ($"{stack.Database}.customers", $"{stack.Database}.devices");
        stack.Tables = [$"{{ source: {customers}, target: public.customers }}", $"{{ source: {devices}, target: public.devices, columns: {Mapping} }}"];
        await stack.RegisterAsync(format);
        var service = stack.StartService();
        await stack.DrainAsync(service, token);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var load = LoadAsync(stack, stop.Token);
        Assert.Empty(await WrongAsync(service));

        // Rows the load leaves alone: a trailing blank, a row that is gone, two rows with each other's unique text, a row too many, a wrong boolean, a wrong day.
        await ExecuteAsync(stack, $"""
            begin; set local session_replication_role = replica;
            update customers set name = name || ' ' where id = 3001; delete from customers where id = 3002;
            update customers set email = 'x' where id = 3003; update customers set email = 'c3003' where id = 3004; update customers set email = 'c3004' where id = 3003;
            insert into customers values (9000000001, 'surplus', 'surplus', 0, now());
            update devices set active = not active where id = '{WrongDevices[0]}'; update devices set born = '1970-01-02' where id = '{WrongDevices[1]}';
            commit;
            """);
        for (var pass = 0; pass < 3; pass++)
        {
            Assert.Equal(WrongKeys, await WrongAsync(service));
        }

        // A process that is killed in a pass: another goes on with it.
        var run = Parse((await RunAsync(service, "verify", "start")).Output).GetProperty("runId").GetInt64();
        await service.KillAsync();
        service = stack.StartService();
        await stack.WaitAsync(() => "the comparison to go on in the next process", async () => await ShowAsync(service, run) is { ValueKind: JsonValueKind.Object } report
            && report.GetProperty("state").GetString() == "finished" && Keys(report).SequenceEqual(WrongKeys), token);

        var dry = await RunAsync(service, "tables", "repair", customers, "--all-wrong", "--dry-run");
        Assert.Equal((0, 5), (dry.ExitCode, Parse(dry.Output).GetProperty("repaired").GetInt32()));
        Assert.Equal("1", (await stack.TargetRowsAsync("select count(*)::text from customers where name = 'surplus'"))[0]);
        Assert.Equal(2, (await RunAsync(service, "tables", "repair", customers, "--key", "id=1")).ExitCode);
        var one = await RunAsync(service, "tables", "repair", customers, "--key", "id=3001");
        Assert.True(one.ExitCode == 0, one.Output + one.Error);
        foreach (var table in new[] { customers, devices })
        {
            var repaired = await RunAsync(service, "tables", "repair", table, "--all-wrong");
            Assert.True(repaired.ExitCode == 0, repaired.Output + repaired.Error);
        }

        await stack.WaitAsync(() => "the repaired rows to be found equal", async () => await ShowAsync(service, run) is { ValueKind: JsonValueKind.Object } report && Keys(report).Count == 0, token);
        Assert.Empty(await WrongAsync(service));
        Assert.Equal(["3001", "3002", "3003", "3004", "9000000001"], await stack.TargetRowsAsync("""
            select distinct (e ->> 'key')::json ->> 'id' from cdc_migrator.journal, jsonb_array_elements(evidence) e where event = 'rows-repaired' and e ->> 'table' like '%customers' order by 1
            """));

        await stop.CancelAsync();
        Assert.True(await load > 50);
        await stack.DrainAsync(service, token);
        var equal = await RunAsync(service, "verify", "start", "--wait", "--timeout", "3m");
        Assert.True(equal.ExitCode == 0, equal.Output + equal.Error);
        Assert.All(Parse(equal.Output).GetProperty("tables").EnumerateArray(), table => Assert.Equal("Equal", table.GetProperty("verdict").GetString()));
    }

    /// <summary>Transactions that change, insert, delete and re-key rows of both tables, until cancelled. Returns how many were committed.</summary>
    private static async Task<int> LoadAsync(MariaDbStack stack, CancellationToken stop)
    {
        await using var connection = await MariaDbConnections.OpenAsync(stack.Source, CancellationToken.None);
        var random = new Random(5);
        var n = 0;
        for (; !stop.IsCancellationRequested; n++)
        {
            await using var command = new MySqlCommand(
                string.Create(CultureInfo.InvariantCulture, $"""
                    start transaction;
                    update customers set credit = coalesce(credit, 0) + 1, changed = current_timestamp(6) where id = {random.Next(1, 400)};
                    insert into customers (id, email, name) values ({1_000_000 + n}, 'new{n}', 'New') on duplicate key update name = 'Again';
                    delete from customers where id = {1_000_000 + n - 50};
                    update devices set active = {random.Next(3)}, born = {(n % 2 == 0 ? "'0000-00-00'" : "'2024-02-29'")}, kind = {1 + (n % 2)} where id = unhex(md5({random.Next(1, 300)}));
                    replace into devices values (unhex(md5('x{n % 40}')), unhex(md5({n})), '2024-01-01', 2, 1, 'load');
                    commit;
                    """), connection);
            await using (var mode = new MySqlCommand("set session sql_mode = ''", connection))
            {
                await mode.ExecuteNonQueryAsync(CancellationToken.None);
            }

            await command.ExecuteNonQueryAsync(CancellationToken.None);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }

        return n;
    }

    private static async Task<IReadOnlyList<string>> WrongAsync(ServiceProcess service)
    {
        var result = await RunAsync(service, "verify", "start", "--wait", "--timeout", "4m");
        Assert.True(result.ExitCode is 0 or 3, $"{result.Error}\n{service.Log}");
        var report = Parse(result.Output);
        Assert.All(report.GetProperty("tables").EnumerateArray(), table => Assert.Contains(table.GetProperty("verdict").GetString(), new[] { "Equal", "InFlight", "Mismatch" }));
        return Keys(report);
    }

    private static async Task<JsonElement> ShowAsync(ServiceProcess service, long run)
    {
        var result = await RunAsync(service, "verify", "show", $"{run}");
        return result.ExitCode is 0 or 3 ? Parse(result.Output) : default;
    }

    private static Task<ProcessResult> RunAsync(ServiceProcess service, params string[] verb) => Cdcm.RunAsync([.. verb, "--server", service.Address.ToString(), "-o", "json"]);

    private static JsonElement Parse(string output) => JsonDocument.Parse(output).RootElement;

    private static IReadOnlyList<string> Keys(JsonElement report) =>
    [
        .. report.GetProperty("tables").EnumerateArray().SelectMany(table => table.GetProperty("mismatches").EnumerateArray())
            .Select(row => row.GetProperty("key").EnumerateObject().Single().Value.GetString()!).Order(StringComparer.Ordinal),
    ];

    private static async Task ExecuteAsync(MariaDbStack stack, string sql)
    {
        await using var command = stack.Target.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}

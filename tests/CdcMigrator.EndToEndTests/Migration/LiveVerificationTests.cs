using System.Globalization;
using System.Text.Json;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Kit;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>
/// The reconciler under the load in which retries are known to fail: 1,500 zipfian transactions a second, a target about a second behind. Passes begin one after
/// another; before each, rows are made wrong in every way.
/// </summary>
[Collection(typeof(SteadyKit))]
public sealed class LiveVerificationTests(KitFixture kit, ITestOutputHelper output)
{
    private const int Passes = 20;
    private const int Healing = 50;
    private const int WarmWrong = ZipfianWrites.WarmKeys / 2;

    private const string Schema = """
        create table hot (id bigint primary key, n integer not null, b varchar(40), amount numeric(12,2), f double precision, at timestamp not null, note text, doc jsonb, bulk text);
        alter table hot alter bulk set storage external;
        """;

    /// <summary>Rows the load writes, rows it leaves alone, and rows of which it never writes the large column.</summary>
    private const string Rows = """
        insert into hot select i, i % 100, case when i % 7 = 0 then null else 'v' || i end, i / 4.0, i, timestamp '2024-01-01' + i * interval '1 second', 'n|' || i, jsonb_build_object('k', i)
            from generate_series(1, 15000) i;
        insert into hot select i, i % 100, 'b' || i, i / 4.0, i, timestamp '2024-01-01' + i * interval '1 second', 'note ' || i, '1' from generate_series(800001, 802000) i;
        update hot set b = null where id = 800004; update hot set f = null where id = 800005; update hot set f = 0 where id = 800009;
        insert into hot select i, 0, 'warm', 1, 1, now(), 'warm', '{}', (select string_agg(md5((i * 1000 + j)::text), '') from generate_series(1, 100) j) from generate_series(900001, 900020) i;
        """;

    /// <summary>The applier's statements take their time; those of this test do not.</summary>
    private const string Slow = """
        create table public.kept as select * from hot where id between 800001 and 899999;
        create function public.slow() returns trigger language plpgsql as $$ begin if current_setting('session_replication_role') = 'replica' then perform pg_catalog.pg_sleep(0.25); end if; return null; end $$;
        create trigger slow before insert or update or delete on hot for each statement execute function public.slow();
        alter table hot enable always trigger slow;
        """;

    private const string Damage = """
        update hot set note = 'Note 800001' where id = 800001;
        update hot h set b = o.b from hot o where h.id in (800002, 800003) and o.id = 1600005 - h.id;
        update hot set b = '' where id = 800004;
        update hot set f = 0.0 where id = 800005;
        delete from hot where id = 800006;
        update hot set note = note || ' ' where id = 800007;
        update hot set at = at + interval '1 microsecond' where id = 800008;
        update hot set f = '-0' where id = 800009;
        update hot set doc = '1.0' where id = 800010;
        insert into hot select 899999, n, b, amount, f, at, note, doc from hot where id = 800011;
        update hot set n = n + 1 where id > 801000 and id <= 802000;
        """;

    private const string Mend = "delete from hot where id between 800001 and 899999; insert into hot select * from public.kept;";

    [Fact]
    public async Task Every_wrong_row_and_no_other_is_found_in_each_of_twenty_passes_under_zipfian_writes()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(kit, "live", Schema, [new TableName("public", "hot")], async connection =>
        {
            await using var source = NpgsqlDataSource.Create(connection);
            await ExecuteAsync(source, Rows);
        });
        await stack.RegisterAsync(MigrationFormat.Json);
        var service = stack.StartService();
        await stack.DrainAsync(token);
        using var http = new HttpClient { BaseAddress = service.Address };
        await ExecuteAsync(stack.Target, Slow);
        await ExecuteAsync(stack.Target, Damage + $"""
            update hot set bulk = reverse(bulk) where id >= {ZipfianWrites.FirstWarm} and id < {ZipfianWrites.FirstWarm + WarmWrong};
            update hot set n = n + 1000000 where id in ({string.Join(',', Enumerable.Range(0, Healing).Select(ZipfianWrites.KeyOf))});
            """);
        var cold = Cold();
        var warm = Enumerable.Range(0, WarmWrong).ToDictionary(i => Text(ZipfianWrites.FirstWarm + i), _ => "different bulk");
        var healing = Enumerable.Range(0, Healing).Select(ZipfianWrites.KeyOf).Select(Text).ToHashSet();
        var (falsely, warmFound, lags) = (new List<string>(), new HashSet<string>(), new List<double>());
        await using var writes = ZipfianWrites.Start(stack.SourceConnection, 1500);
        await stack.WaitAsync("the load", () => Task.FromResult(writes.Committed > 1500), token);
        for (var pass = 1; pass <= Passes || (warmFound.Count < WarmWrong && pass <= 4 * Passes); pass++)
        {
            await stack.WaitAsync($"a target behind the source before pass {pass}", async () => await LagAsync(http, token) > 0, token);
            var run = await BeginAsync(http, token);
            await stack.WaitAsync($"pass {pass}", () => ExistsAsync(stack, $"select from cdc_migrator.verification_table where run = {run} and covered and phase in ('Settling', 'Done')"), token);
            var found = await WrongAsync(stack);
            lags.Add(await LagAsync(http, token));
            Assert.Empty(cold.Where(row => found.GetValueOrDefault(row.Key) != row.Value).Select(row => $"pass {pass}: {row.Key} {row.Value}, found: {found.GetValueOrDefault(row.Key)}"));
            falsely.AddRange(found.Where(row => !cold.ContainsKey(row.Key) && warm.GetValueOrDefault(row.Key) != row.Value && !healing.Contains(row.Key)).Select(row => $"pass {pass}: {row}"));
            warmFound.UnionWith(found.Keys.Where(warm.ContainsKey));
            await (await http.PostAsync(new Uri("/api/verify/stop", UriKind.Relative), null, token)).Content.ReadAsStringAsync(token);

            // Mended rows are found equal by their keys, so that the next pass has to find them wrong anew.
            await ExecuteAsync(stack.Target, Mend);
            await stack.WaitAsync("the mended rows to be found equal", async () => (await WrongAsync(stack)).Keys.All(key => !cold.ContainsKey(key)), token);
            await ExecuteAsync(stack.Target, Damage);
        }

        output.WriteLine($"{writes}; {lags.Count} passes; {lags.Count(lag => lag > 0)} of them with a lag, {lags.Min():0.0} to {lags.Max():0.0} s; {cold.Count} wrong rows found in each, {warmFound.Count} of {WarmWrong} wrong rows that are written");
        Assert.Empty(falsely);
        Assert.Equal(WarmWrong, warmFound.Count);

        // At rest: what is called wrong is what differs, by another way of comparing.
        await writes.StopAsync();
        await ExecuteAsync(stack.Source, $"update hot set n = n + 1 where id in ({string.Join(',', healing)})");
        await ExecuteAsync(stack.Target, "drop trigger slow on hot");
        await stack.DrainAsync(token);
        var last = await BeginAsync(http, token);
        await stack.WaitAsync("the last pass", () => ExistsAsync(stack, $"select from cdc_migrator.verification_run where run = {last} and state = 'finished'"), token);
        var differing = await DifferingAsync(stack, token);
        Assert.Equal(differing, (await WrongAsync(stack)).Keys.Order(StringComparer.Ordinal));
        Assert.Equal(cold.Keys.Concat(warm.Keys).Order(StringComparer.Ordinal), differing);
    }

    /// <summary>The rows the load leaves alone, as they are to be found.</summary>
    private static Dictionary<string, string> Cold()
    {
        var rows = new Dictionary<string, string>
        {
            ["800001"] = "different note",
            ["800002"] = "different b",
            ["800003"] = "different b",
            ["800004"] = "different b",
            ["800005"] = "different f",
            ["800006"] = "missing ",
            ["800007"] = "different note",
            ["800008"] = "different at",
            ["800009"] = "different f",
            ["800010"] = "different doc",
            ["899999"] = "extra ",
        };
        for (var id = 801_001; id <= 802_000; id++)
        {
            rows[Text(id)] = "different n";
        }

        return rows;
    }

    private static string Text(long key) => key.ToString(CultureInfo.InvariantCulture);

    private static async Task<long> BeginAsync(HttpClient http, CancellationToken token)
    {
        using var answer = await http.PostAsJsonAsync("/api/verify", new { all = true }, token);
        return JsonDocument.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(token)).RootElement.GetProperty("runId").GetInt64();
    }

    private static async Task<double> LagAsync(HttpClient http, CancellationToken token) =>
        JsonDocument.Parse(await http.GetStringAsync(new Uri("/api/status", UriKind.Relative), token)).RootElement.GetProperty("lag").GetProperty("seconds").GetDouble();

    /// <summary>Rows that are called wrong, each as <c>kind columns</c>; the API shows a hundred of them.</summary>
    private static async Task<Dictionary<string, string>> WrongAsync(MigrationStack stack)
    {
        await using var command = stack.Target.CreateCommand("select key[1], kind || ' ' || array_to_string(columns, ',') from cdc_migrator.verification_row where kind is not null");
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new Dictionary<string, string>();
        while (await reader.ReadAsync())
        {
            rows[reader.GetString(0)] = reader.GetString(1);
        }

        return rows;
    }

    private static async Task<bool> ExistsAsync(MigrationStack stack, string sql)
    {
        await using var command = stack.Target.CreateCommand($"select exists ({sql})");
        return await command.ExecuteScalarAsync() is true;
    }

    private static async Task<IReadOnlyList<string>> DifferingAsync(MigrationStack stack, CancellationToken token)
    {
        var (here, there) = (await TextsAsync(stack.Source, token), await TextsAsync(stack.Target, token));
        return [.. here.Keys.Union(there.Keys).Where(key => here.GetValueOrDefault(key) != there.GetValueOrDefault(key)).Order(StringComparer.Ordinal)];
    }

    private static async Task<Dictionary<string, string>> TextsAsync(NpgsqlDataSource database, CancellationToken token)
    {
        await using var command = database.CreateCommand("select id::text, h::text from hot h");
        await using var reader = await command.ExecuteReaderAsync(token);
        var rows = new Dictionary<string, string>();
        while (await reader.ReadAsync(token))
        {
            rows[reader.GetString(0)] = reader.GetString(1);
        }

        return rows;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}

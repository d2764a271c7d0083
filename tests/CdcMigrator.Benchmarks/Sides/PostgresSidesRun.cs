using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using Npgsql;

namespace CdcMigrator.Benchmarks.Sides;

/// <summary>A full pass over a table on two PostgreSQL servers, held against the plainest digest of both in SQL at the same time; and keys that changed.</summary>
internal static class PostgresSidesRun
{
    private const int Rounds = 5;
    private const int DirtyKeys = 100_000;
    private const int KeysAtOnce = 20_000;
    private static readonly Dictionary<string, string> Settings = new() { ["shared_buffers"] = "1GB" };
    private const string Digest = "select count(*), sum(hashtextextended(t::text, 7)) from public.t";

    private const string Sql = """
        create table t (id bigint primary key, customer int not null, status text not null, amount numeric(12,2) not null, rate double precision, paid boolean not null,
            placed timestamp(6) not null, changed timestamptz(6) not null, note text, external uuid not null, extra jsonb);
        set time zone 'UTC';
        insert into t select i, i % 50000, (array['new', 'paid', 'shipped'])[1 + i % 3], (i * 37 % 1000000) / 100.0, case when i % 10 = 0 then null else i / 8.0 end, i % 2 = 1, timestamp '2024-01-01' + i * interval '1 second',
            timestamptz '2024-01-01 00:00:00.123456' + i * interval '1 second', case when i % 7 = 0 then null else 'note ' || i || repeat('é', (i % 20)::int) end, md5(i::text)::uuid,
            case when i % 5 = 0 then null else jsonb_build_object('n', i, 'tags', array['a', 'b']) end from generate_series(1, {0}::bigint) i;
        vacuum analyze t;
        """;

    /// <summary>Runs it; throws where the sides are not found equal.</summary>
    public static async Task RunAsync(int rows)
    {
        await using var here = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Settings = Settings });
        await using var there = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Settings = Settings });
        var (from, to) = (await here.CreateDatabaseAsync("shop", "select 1"), await there.CreateDatabaseAsync("shop", "select 1"));
        await Task.WhenAll(FillAsync(from, rows), FillAsync(to, rows));
        await using var source = PostgresConnections.CreateVerify(from);
        await using var target = PostgresConnections.CreateVerify(to);
        await using (var control = PostgresConnections.CreateControl(to))
        {
            await ControlSchema.MigrateAsync(control, CancellationToken.None);
        }

        var mapping = new TableMapping { Source = new TableName("public", "t"), Target = new TableName("public", "t") };
        var table = (await ComparedTables.ReadAsync(source, target, [mapping], CancellationToken.None))[0];
        var sides = new PostgresSides(source, target, "m", () => null);
        var keys = Enumerable.Range(0, DirtyKeys).Select(i => new RowKey((1 + i * 7919L % rows).ToString(CultureInfo.InvariantCulture))).Distinct().ToList();
        var (plain, pass, dirty) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round <= Rounds; round++)
        {
            var digested = await Pass.TimedAsync(() => Task.WhenAll(DigestAsync(source), DigestAsync(target)));
            var compared = await Pass.TimedAsync(() => Pass.RunAsync(table, sides, rows));
            var verified = await Pass.TimedAsync(() => Pass.KeysAsync(table, sides, keys, KeysAtOnce));
            if (round > 0)
            {
                plain.Add(digested);
                pass.Add(compared);
                dirty.Add(verified);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"round {round}: digest of both sides {digested:0.00} s, full pass {compared:0.00} s, {compared / digested:0.00} x; {keys.Count:N0} keys {verified:0.00} s; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}"));
            }
        }

        plain.Sort();
        pass.Sort();
        dirty.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| PostgreSQL: plain digest of both sides, full pass | {rows:N0} | {plain[Rounds / 2]:0.00} | {pass[Rounds / 2]:0.00} | {pass[Rounds / 2] / plain[Rounds / 2]:0.00} | {rows / pass[Rounds / 2]:N0} |"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| PostgreSQL: keys that changed, both sides | {keys.Count:N0} |  | {dirty[Rounds / 2]:0.00} |  | {keys.Count / dirty[Rounds / 2]:N0} |"));
    }

    private static async Task FillAsync(string connection, int rows)
    {
        await using var fill = NpgsqlDataSource.Create(connection);
        await using var session = await fill.OpenConnectionAsync();
        foreach (var statement in Sql.Replace("{0}", rows.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Split(";", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = new NpgsqlCommand(statement, session) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync();
        }
    }

    private static async Task DigestAsync(NpgsqlDataSource side)
    {
        await using var command = side.CreateCommand(Digest);
        await command.ExecuteScalarAsync();
    }
}

using System.Globalization;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.TestKit.Workloads;

/// <summary>
/// Tables whose changes must be applied in one order: one without a key, full of equal rows; one that is truncated; one that is partitioned on the
/// source only and one on the target only. With writers that work on all of them until they are stopped.
/// </summary>
public static class OrderedTables
{
    private const string Common = """
        create table bag(n int, amount numeric, note json, place point); alter table bag replica identity full;
        create table staging(id int primary key, mail text unique, v text);
        create table staging_log(id int primary key, staging int references staging, v text);
        """;

    private const string Partitions = "partition by range (id); create table {0}_low partition of {0} for values from (0) to (500); create table {0}_high partition of {0} for values from (500) to (100000)";

    /// <summary>The source's schema.</summary>
    public static string SourceSchema => $"{Common} create table parted(id int primary key, v text) {Partitions.Replace("{0}", "parted", StringComparison.Ordinal)}; create table plain(id int primary key, v text)";

    /// <summary>The target's schema.</summary>
    public static string TargetSchema => $"{Common} create table parted(id int primary key, v text); create table plain(id int primary key, v text) {Partitions.Replace("{0}", "plain", StringComparison.Ordinal)}";

    /// <summary>How they are moved.</summary>
    public static IReadOnlyList<TableMapping> Mappings { get; } =
    [
        Map("bag") with { Keyless = true, OnePartition = true },
        Map("staging") with { OnePartition = true },
        Map("staging_log") with { OnePartition = true },
        Map("parted"),
        Map("plain"),
    ];

    /// <summary>Rows that are there before the snapshot.</summary>
    public static string Seed => """
        insert into bag select g % 5, 1.0, '{"a": 1}', '(1,2)' from generate_series(1, 40) g; insert into staging select g, 'm' || g, 'seed' from generate_series(1, 20) g;
        insert into parted select g, 'seed' from generate_series(1, 990, 7) g; insert into plain select g, 'seed' from generate_series(1, 990, 7) g
        """;

    /// <summary>Writes until cancelled, a hundred transactions a second at most. Conflicts among writers belong to the load.</summary>
    public static async Task WriteAsync(string connectionString, int seed, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        await using var source = NpgsqlDataSource.Create(connectionString);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!cancellationToken.IsCancellationRequested)
        {
            await pace.WaitForNextTickAsync(CancellationToken.None);
            await using var command = source.CreateCommand(Statement(random));
            try
            {
                await command.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch (PostgresException)
            {
                // Another writer was faster.
            }
        }
    }

    /// <summary>Writes rows by COPY: they share one position each page.</summary>
    public static async Task CopyAsync(string connectionString, int rows)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var writer = await connection.BeginTextImportAsync("copy bag from stdin");
        for (var i = 0; i < rows; i++)
        {
            await writer.WriteAsync("7\t1.50\t\\N\t(3,4)\n");
        }
    }

    private static string Statement(Random random)
    {
        var id = random.Next(990);
        var n = random.Next(5).ToString(CultureInfo.InvariantCulture);
        return random.Next(14) switch
        {
            0 or 1 => $"insert into bag select {n}, {random.Next(2)}.{random.Next(2)}0, case when {n} > 2 then '{{\"a\":  1}}'::json end, '(1,2)' from generate_series(1, 3)",
            2 => $"delete from bag where ctid in (select ctid from bag where n = {n} limit 6)",
            3 => $"update bag set n = n + 1, note = null where ctid in (select ctid from bag where n = {n} limit 2)",
            4 when random.Next(4) == 0 => "truncate staging cascade",
            4 or 5 => $"insert into staging select {id} + g, 'm' || {random.Next(40)} + g, 'new' from generate_series(1, 3) g on conflict do nothing",
            6 => $"update staging set mail = 'm' || {random.Next(60)} where id = (select id from staging order by random() limit 1)",
            7 => "delete from staging where id = (select id from staging order by random() limit 1)",
            8 => $"insert into staging_log select {random.Next()}, id, 'l' from staging limit 1",
            9 => $"update parted set id = {random.Next(990)} where id = (select id from parted order by random() limit 1)",
            10 => $"insert into parted values ({id}, 'new'); insert into plain values ({id}, 'new')",
            11 => $"update plain set id = {random.Next(990)} where id = (select id from plain order by random() limit 1)",
            12 => $"delete from parted where id = {id}; delete from plain where id = {id}",
            _ => $"begin; insert into bag values ({n}, null, null, null); update plain set v = 'u{id}' where id = {id}; update parted set v = 'u{id}' where id = {id}; commit",
        };
    }

    private static TableMapping Map(string name) => new() { Source = new TableName("public", name), Target = new TableName("public", name) };
}

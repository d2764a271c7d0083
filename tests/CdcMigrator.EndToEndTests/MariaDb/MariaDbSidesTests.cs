using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.MariaDb.Comparing;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Fencing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;
using MySqlConnector;
using Npgsql;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>Rows of a MariaDB source held against those of a PostgreSQL target, in snapshots. What every type looks like: <see cref="MariaDbTypeTests"/>.</summary>
public sealed class MariaDbSidesTests(MariaDbFixture mariaDb)
{
    private const string SourceSql = """
        create table ranged (a int unsigned, b bigint, v varchar(20), n decimal(10,2), primary key (a, b));
        insert into ranged select seq % 10, seq, if(seq % 7 = 0, null, concat('v', seq)), seq / 4 from seq_1_to_500;
        create table texts (k varchar(20) character set utf8mb4 collate utf8mb4_general_ci primary key, v text); insert into texts values ('a', 'x'), ('B', ''), ('é ☃', null), ('c ', 'y');
        create table loose (a int, v text); insert into loose values (1, 'x'), (1, 'x'), (null, null);
        create table my (id int primary key) engine = MyISAM;
        """;

    private const string TargetSql = """
        create table ranged (a bigint, b bigint, v text, n numeric(10,2), primary key (a, b));
        insert into ranged select i % 10, i, case when i % 7 = 0 then null else 'v' || i end, i / 4.0 from generate_series(1, 500) i;
        create table texts (k text primary key, v text); insert into texts values ('a', 'x'), ('B', ''), ('é ☃', null), ('c ', 'y');
        create table loose (a int, v text); insert into loose values (1, 'x'), (1, 'x'), (null, null);
        create table my (id int primary key);
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Wrong_rows_are_found_by_ranges_buckets_and_keys_and_a_snapshot_is_where_its_position_says()
    {
        var server = await mariaDb.RequireAsync();
        var database = await mariaDb.CreateAsync(SourceSql);
        await using var source = MariaDbConnections.Create(server.ConnectionString(database));
        await using var postgres = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), Token);
        var connection = await postgres.CreateDatabaseAsync("shop", TargetSql, Token);
        await using var target = PostgresConnections.CreateVerify(connection);
        await using var control = PostgresConnections.CreateControl(connection);
        await ControlSchema.MigrateAsync(control, Token);
        TableMapping Mapping(string name) => new() { Source = new TableName(database, name), Target = new TableName("public", name), Keyless = name == "loose" };
        var tables = await MariaDbComparedTables.ReadAsync(source, target, [Mapping("ranged"), Mapping("texts"), Mapping("loose"), Mapping("my"), Mapping("none")], Token);
        var sides = new MariaDbSides(source, target, "m", () => null);
        Assert.Equal([ChunkOrder.KeyRanges, ChunkOrder.Buckets, ChunkOrder.Buckets], tables.Take(3).Select(table => table.Order));
        Assert.Equal([null, null, null], tables.Take(3).Select(table => table.Unverifiable));
        Assert.Contains("MyISAM", tables[3].Unverifiable, StringComparison.Ordinal);
        Assert.Contains("has no table", tables[4].Unverifiable, StringComparison.Ordinal);
        Assert.Equal(["", "", ""], await DifferencesAsync(sides, tables));

        await ExecuteAsync(control, "update ranged set v = '' where b = 14; update ranged set n = 3.76 where b = 15; delete from ranged where b = 16; insert into ranged values (99, 1, 'x', 0)");
        await ExecuteAsync(control, "update texts set v = 'X' where k = 'c '; update texts set k = 'A' where k = 'a'; delete from loose where ctid = (select min(ctid) from loose)");
        Assert.Equal(["4, 14;5, 15;6, 16;99, 1", "A;a;c ", "-"], (await DifferencesAsync(sides, tables)).Select((found, i) => i == 2 && found.Length > 0 ? "-" : found));

        await using var snapshot = await sides.OpenSourceAsync(Token);
        var before = await PositionAsync(source);
        await server.ExecuteAsync("insert into ranged values (77, 1, 'later', 1); truncate texts", database);
        await using var later = await sides.OpenSourceAsync(Token);
        Assert.Equal((500, 501), ((await snapshot.DigestAsync(tables[0], KeyRange.All, Token)).Rows, (await later.DigestAsync(tables[0], KeyRange.All, Token)).Rows));
        Assert.Equal((false, true), (snapshot.View.Sees(before), later.View.Sees(before)));
        Assert.Equal((false, true), (snapshot.View.IsPast(later.View), later.View.IsPast(snapshot.View)));
        var fault = await Assert.ThrowsAsync<FaultException>(() => snapshot.DigestAsync(tables[1], KeyRange.All, Token));
        Assert.Equal((FaultKind.Transient, "table-rewritten"), (fault.Fault.Kind, fault.Fault.Code));
    }

    /// <summary>Keys that differ, by table; every way to ask must find the same.</summary>
    private static async Task<List<string>> DifferencesAsync(MariaDbSides sides, IReadOnlyList<ComparedTable> tables)
    {
        var found = new List<string>();
        foreach (var table in tables.Where(table => table.Unverifiable is null))
        {
            await using var source = await sides.OpenSourceAsync(Token);
            await using var target = await sides.OpenTargetAsync(Token);
            var whole = Keys(await source.HashesAsync(table, KeyRange.All, Token), await target.HashesAsync(table, KeyRange.All, Token));
            Assert.Equal(whole.Count == 0, await source.DigestAsync(table, KeyRange.All, Token) == await target.DigestAsync(table, KeyRange.All, Token));
            var (here, there) = (await source.DigestBucketsAsync(table, 64, Token), await target.DigestBucketsAsync(table, 64, Token));
            var suspect = KeyRange.All with { Buckets = [.. Enumerable.Range(0, 64).Where(bucket => here[bucket] != there[bucket])], BucketCount = 64 };
            Assert.Equal(whole, Keys(await source.HashesAsync(table, suspect, Token), await target.HashesAsync(table, suspect, Token)));
            Assert.Equal(whole, Keys(await source.HashesAsync(table, whole, Token), await target.HashesAsync(table, whole, Token)));
            var rows = await source.RowsAsync(table, whole, Token);
            Assert.Equal(whole.Intersect((await source.HashesAsync(table, KeyRange.All, Token)).Select(row => row.Key)).ToHashSet(), rows.Keys.ToHashSet());
            var ranged = new HashSet<RowKey>();
            RowKey? after = null;
            while (table.Order == ChunkOrder.KeyRanges)
            {
                var range = new KeyRange(after, await source.BoundaryAsync(table, after, 70, Token));
                ranged.UnionWith(Keys(await source.HashesAsync(table, range, Token), await target.HashesAsync(table, range, Token)));
                if ((after = range.UpTo) is null)
                {
                    Assert.Equal(whole, ranged);
                    break;
                }
            }

            found.Add(string.Join(';', whole.Select(key => key.ToString()).Order(StringComparer.Ordinal)));
        }

        return found;
    }

    private static HashSet<RowKey> Keys(IReadOnlyList<RowHash> here, IReadOnlyList<RowHash> there) => [.. here.Except(there).Concat(there.Except(here)).Select(row => row.Key)];

    private static async Task<ulong> PositionAsync(MySqlDataSource source)
    {
        await using var connection = await MariaDbConnections.OpenAsync(source, Token);
        return (await BinlogPosition.ReadAsync(connection, Token))!.Value.Value;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource target, string sql)
    {
        await using var command = target.CreateCommand($"set search_path = public; {sql}; set search_path = ''");
        await command.ExecuteNonQueryAsync(Token);
    }
}

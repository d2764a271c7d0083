using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.MariaDb.Checking;
using CdcMigrator.MariaDb.Comparing;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>What the checks beside the rows read of a MariaDB source.</summary>
public sealed class MariaDbCheckTests(MariaDbFixture mariaDb)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tables_numbered_columns_and_migration_tools_are_read()
    {
        var server = await mariaDb.RequireAsync();
        var database = await mariaDb.CreateAsync("""
            create table orders (id bigint unsigned not null auto_increment primary key, mail varchar(50) not null, note text, unique key by_mail (mail), unique key by_prefix (note(10)), unique key both_columns (mail, id));
            insert into orders (id, mail) values (41, 'a');
            create table fresh (id int auto_increment primary key); create table plain (id int primary key);
            create table flyway_schema_history (installed_rank int primary key, version varchar(50), description varchar(200), type varchar(20), checksum int, success boolean);
            insert into flyway_schema_history values (1, '1', 'one', 'SQL', 5, true), (2, null, 'views', 'SQL', 7, true), (3, '2', 'two', 'SQL', 9, false);
            """);
        await using var source = MariaDbConnections.Create(server.ConnectionString(database));
        var side = new MariaDbCheckedSide(source);
        TableName Name(string name) => new(database, name);
        var tables = await side.ReadTablesAsync([Name("orders"), Name("none")], Token);
        var orders = Assert.Single(tables).Value;
        Assert.Equal(["id True by default", "mail True ", "note False "], orders.Columns.Select(column => $"{column.Name} {column.NotNull} {column.Identity}"));
        Assert.Equal(["PRIMARY id True", "both_columns mail,id False", "by_mail mail False"], orders.Keys.Select(key => $"{key.Name} {string.Join(',', key.Columns)} {key.IsPrimary}"));
        var facts = await side.ReadSequencesAsync([Name("orders"), Name("fresh"), Name("plain")], Token);
        Assert.Equal(["orders id 41", "fresh id "], facts.Select(fact => $"{fact.Table.Name} {fact.Column} {fact.Last}"));
        var flyway = Assert.Single(await side.ReadHistoryAsync(Token), fact => fact.Table.Schema == database);
        Assert.Equal(("Flyway", "1 repeatable views", "2"), (flyway.Tool, string.Join(' ', flyway.Versions.Keys.Order(StringComparer.Ordinal)), string.Join(' ', flyway.Failed)));
    }

    [Fact]
    public async Task Odd_rows_are_in_a_sample_and_a_key_that_differs_is_in_the_sum()
    {
        var server = await mariaDb.RequireAsync();
        string[] odd = ["note = repeat('y', 3000)", "note = ''", "note = null", "note = 'ü'", "note = 'a '", "at = '0000-00-00'", "at = '2024-00-10'", "kind = ''", "n = 0", "n = -99999", "raw = ''", "f = 0"];
        var database = await mariaDb.CreateAsync($"""
            set session sql_mode = '';
            create table t (id binary(16) primary key, note longtext, at datetime, kind enum('a', 'b'), n decimal(20, 2), raw blob, f double, seq int);
            insert into t select unhex(lpad(hex(seq), 32, '0')), concat('v', seq), '2020-01-01' + interval seq minute, 1 + seq % 2, seq, 'x', seq, seq from seq_1_to_20000;
            {string.Join(";\n", odd.Select((set, i) => $"update t set {set} where seq = {(i * 700) + 350}"))}
            """);
        await using var source = MariaDbConnections.Create(server.ConnectionString(database));
        await using var postgres = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), Token);
        var connection = await postgres.CreateDatabaseAsync("shop", """
            create table t (id uuid primary key, note text, at timestamp, kind text, n numeric(20, 2), raw bytea, f float8, seq int); insert into t select lpad(to_hex(i), 32, '0')::uuid from generate_series(1, 20000) i
            """, Token);
        await using var target = PostgresConnections.CreateVerify(connection);
        await using var control = PostgresConnections.CreateControl(connection);
        await ControlSchema.MigrateAsync(control, Token);
        var mapping = new TableMapping { Source = new TableName(database, "t"), Target = new TableName("public", "t") };
        var table = (await MariaDbComparedTables.ReadAsync(source, target, [mapping], Token))[0];
        var sides = new MariaDbSides(source, target, "m", () => null);
        await using (var here = await sides.OpenSourceAsync(Token))
        await using (var there = await sides.OpenTargetAsync(Token))
        {
            var sampled = (await here.SampleAsync(table, 100, Token)).Where(row => row.Stratum is SampleStratum.LongestValues or SampleStratum.EdgeValues).Select(row => row.Key.Values[0]).ToHashSet();
            Assert.All(odd.Select((set, i) => (Key: ((i * 700) + 350).ToString("x32", System.Globalization.CultureInfo.InvariantCulture), Set: set)),
                row => Assert.True(sampled.Contains(row.Key), row.Set));
            Assert.Equal(await here.CountAsync(table, null, Token), await there.CountAsync(table, null, Token));
        }

        await using (var change = control.CreateCommand("update public.t set id = md5('other')::uuid where id = lpad('7', 32, '0')::uuid"))
        {
            await change.ExecuteNonQueryAsync(Token);
        }

        await using var before = await sides.OpenSourceAsync(Token);
        await using var after = await sides.OpenTargetAsync(Token);
        var (left, right) = (await before.CountAsync(table, null, Token), await after.CountAsync(table, null, Token));
        Assert.Equal(left.Rows, right.Rows);
        Assert.NotEqual(left.Sum, right.Sum);
    }

    [Fact]
    public async Task Rows_are_counted_sampled_and_asked_for_in_one_snapshot()
    {
        var server = await mariaDb.RequireAsync();
        var database = await mariaDb.CreateAsync("create table t (a int, b varchar(10), n decimal(10,2), primary key (a, b)); insert into t select seq, concat('k', seq), seq / 4 from seq_1_to_500");
        await using var source = MariaDbConnections.Create(server.ConnectionString(database));
        await using var postgres = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), Token);
        var connection = await postgres.CreateDatabaseAsync(
            "shop", "create table t (a int, b text, n numeric(10,2), primary key (a, b)); insert into t select i, 'k' || i, i / 4.0 from generate_series(1, 500) i", Token);
        await using var target = PostgresConnections.CreateVerify(connection);
        await using var control = PostgresConnections.CreateControl(connection);
        await ControlSchema.MigrateAsync(control, Token);
        var table = (await MariaDbComparedTables.ReadAsync(source, target, [new TableMapping { Source = new TableName(database, "t"), Target = new TableName("public", "t") }], Token))[0];
        var sides = new MariaDbSides(source, target, "m", () => null);
        await using var here = await sides.OpenSourceAsync(Token);
        await using var there = await sides.OpenTargetAsync(Token);
        await server.ExecuteAsync("delete from t where a > 3", database);
        RowKey[] keys = [new("7", "k7"), new("8", "none")];
        var (all, one) = (await here.CountAsync(table, null, Token), await here.CountAsync(table, keys, Token));
        Assert.Equal((500, 1), (all.Rows, one.Rows));
        Assert.NotEqual((0, 0), (all.Sum, one.Sum));
        Assert.Equal((all, one), (await there.CountAsync(table, null, Token), await there.CountAsync(table, keys, Token)));
        var unsummed = table with { EstimatedRows = ComparedTable.MostKeysHashedHere + 1 };
        Assert.Equal((new ChunkDigest(500, 0), new ChunkDigest(1, 0)), (await here.CountAsync(unsummed, null, Token), await here.CountAsync(unsummed, keys, Token)));
        Assert.Equal((new ChunkDigest(500, 0), new ChunkDigest(1, 0)), (await there.CountAsync(unsummed, null, Token), await there.CountAsync(unsummed, keys, Token)));

        // A copy with another estimate is what a sample is taken of.
        var sampled = await here.SampleAsync(table with { EstimatedRows = 500 }, 100, Token);
        Assert.Equal(100, sampled.Count(row => row.Stratum == SampleStratum.Random));
        Assert.Contains(new SampledKey(SampleStratum.KeyEnds, new RowKey("1", "k1")), sampled);
        Assert.Contains(new SampledKey(SampleStratum.EdgeValues, new RowKey("500", "k500")), sampled);
        HashSet<RowKey> drawn = [.. sampled.Select(row => row.Key)];
        Assert.Equal(drawn.Count, (await there.HashesAsync(table, drawn, Token)).Count);
        Assert.Equal(["31312.50", null], (await here.QueryAsync("select sum(n), null as nothing from t -- all;", 10, TimeSpan.FromSeconds(30), Token))[0]);
        Assert.Equal(3, (await here.QueryAsync("select a from t", 2, TimeSpan.FromSeconds(30), Token)).Count);
        Assert.Equal("rule-refused", (await Assert.ThrowsAsync<FaultException>(() => here.QueryAsync("select missing from t", 2, TimeSpan.FromSeconds(30), Token))).Fault.Code);
        Assert.Equal("rule-refused", (await Assert.ThrowsAsync<FaultException>(() => here.QueryAsync("select 1; delete from t", 2, TimeSpan.FromSeconds(30), Token))).Fault.Code);
        Assert.Equal("rule-timeout", (await Assert.ThrowsAsync<FaultException>(() => here.QueryAsync("select sleep(60)", 2, TimeSpan.FromSeconds(1), Token))).Fault.Code);
    }
}

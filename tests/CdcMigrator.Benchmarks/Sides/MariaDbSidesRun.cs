using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.MariaDb.Comparing;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;
using MySqlConnector;
using Npgsql;

namespace CdcMigrator.Benchmarks.Sides;

/// <summary>A full pass over a table in MariaDB and in PostgreSQL, held against a plain read of all rows of both by the same drivers at the same time.</summary>
internal static class MariaDbSidesRun
{
    private const int Rounds = 5;

    private const string SourceSql = """
        create table t (id bigint unsigned not null primary key, customer int not null, status varchar(20) not null, amount decimal(12,2) not null, rate double, paid tinyint(1) not null,
            placed datetime(6) not null, changed timestamp(6) not null default '2000-01-01', note varchar(100), external binary(16) not null) character set utf8mb4;
        set session time_zone = '+00:00';
        insert into t select seq, seq % 50000, elt(1 + seq % 3, 'new', 'paid', 'shipped'), (seq * 37 % 1000000) / 100, if(seq % 10 = 0, null, seq / 8), seq % 2, '2024-01-01' + interval seq second,
            '2024-01-01 00:00:00.123456' + interval seq second, if(seq % 7 = 0, null, concat('note ', seq, repeat('é', seq % 20))), unhex(md5(seq)) from seq_1_to_{0};
        analyze table t;
        """;

    private const string TargetSql = """
        create table t (id bigint primary key, customer int not null, status text not null, amount numeric(12,2) not null, rate double precision, paid boolean not null,
            placed timestamp(6) not null, changed timestamptz(6) not null, note text, external uuid not null);
        set time zone 'UTC';
        insert into t select i, i % 50000, (array['new', 'paid', 'shipped'])[1 + i % 3], (i * 37 % 1000000) / 100.0, case when i % 10 = 0 then null else i / 8.0 end, i % 2 = 1, timestamp '2024-01-01' + i * interval '1 second',
            timestamptz '2024-01-01 00:00:00.123456' + i * interval '1 second', case when i % 7 = 0 then null else 'note ' || i || repeat('é', (i % 20)::int) end, md5(i::text)::uuid from generate_series(1, {0}::bigint) i;
        vacuum analyze t;
        """;

    /// <summary>Runs it; throws where the sides are not found equal.</summary>
    public static async Task RunAsync(int rows)
    {
        var count = rows.ToString(CultureInfo.InvariantCulture);
        await using var mariaDb = await MariaDbServer.StartAsync("innodb-buffer-pool-size=1G");
        await mariaDb.ExecuteAsync("create database shop character set utf8mb4");
        await mariaDb.ExecuteAsync(SourceSql.Replace("{0}", count, StringComparison.Ordinal), "shop");
        await using var postgres = await LocalPostgresServer.StartAsync(new LocalPostgresOptions());
        var connection = await postgres.CreateDatabaseAsync("shop", "select 1");
        await using (var fill = NpgsqlDataSource.Create(connection))
        {
            foreach (var statement in TargetSql.Replace("{0}", count, StringComparison.Ordinal).Split(";", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                await using var command = fill.CreateCommand(statement);
                command.CommandTimeout = 0;
                await command.ExecuteNonQueryAsync();
            }
        }

        await using var source = MariaDbConnections.Create(mariaDb.ConnectionString("shop"));
        await using var target = PostgresConnections.CreateVerify(connection);
        await using var control = PostgresConnections.CreateControl(connection);
        await ControlSchema.MigrateAsync(control, CancellationToken.None);
        var mapping = new TableMapping { Source = new TableName("shop", "t"), Target = new TableName("public", "t") };
        var table = (await MariaDbComparedTables.ReadAsync(source, target, [mapping], CancellationToken.None))[0];
        if (table.Unverifiable is { } reason)
        {
            throw new InvalidOperationException(reason);
        }

        var (plain, pass) = (new List<double>(), new List<double>());
        for (var round = 0; round <= Rounds; round++)
        {
            var read = await Pass.TimedAsync(() => Task.WhenAll(ReadSourceAsync(source), ReadTargetAsync(target)));
            var compared = await Pass.TimedAsync(() => Pass.RunAsync(table, new MariaDbSides(source, target, "m", () => null), rows));
            if (round > 0)
            {
                plain.Add(read);
                pass.Add(compared);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}: plain read of both sides {read:0.00} s, full pass {compared:0.00} s, {compared / read:0.00} x; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}"));
            }
        }

        await using (var one = await new MariaDbSides(source, target, "m", () => null).OpenSourceAsync(CancellationToken.None))
        await using (var other = await new MariaDbSides(source, target, "m", () => null).OpenTargetAsync(CancellationToken.None))
        {
            var (readHere, hashedHere) = (await Pass.TimedAsync(() => ReadSourceAsync(source)), await Pass.TimedAsync(() => one.DigestAsync(table, KeyRange.All, CancellationToken.None)));
            var (readThere, hashedThere) = (await Pass.TimedAsync(() => ReadTargetAsync(target)), await Pass.TimedAsync(() => other.DigestAsync(table, KeyRange.All, CancellationToken.None)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"alone: MariaDB read {readHere:0.00} s, hashed {hashedHere:0.00} s; PostgreSQL read {readThere:0.00} s, hashed {hashedThere:0.00} s"));
        }

        plain.Sort();
        pass.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| MariaDB: plain read of both sides, full pass | {rows:N0} | {plain[Rounds / 2]:0.00} | {pass[Rounds / 2]:0.00} | {pass[Rounds / 2] / plain[Rounds / 2]:0.00} | {rows / pass[Rounds / 2]:N0} |"));
    }

    private static async Task ReadSourceAsync(MySqlDataSource source)
    {
        await using var connection = await MariaDbConnections.OpenAsync(source, CancellationToken.None);
        await using var command = new MySqlCommand("select * from shop.t", connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync();
        var values = new object[reader.FieldCount];
        while (await reader.ReadAsync())
        {
            reader.GetValues(values);
        }
    }

    private static async Task ReadTargetAsync(NpgsqlDataSource target)
    {
        await using var command = target.CreateCommand("select * from public.t");
        await using var reader = await command.ExecuteReaderAsync();
        var values = new object[reader.FieldCount];
        while (await reader.ReadAsync())
        {
            reader.GetValues(values);
        }
    }
}

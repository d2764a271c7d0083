using System.Diagnostics;
using System.Globalization;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Benchmarks.Fencing;

/// <summary>Closing and opening a side with many tables while writers write to all of them; every acknowledged write is looked for.</summary>
internal static class FenceRun
{
    private const int Rounds = 11;

    /// <summary>Runs it; throws where an acknowledged write is missing, or one got past the fence.</summary>
    public static async Task RunAsync(int tables, int concurrent)
    {
        await using var server = await LocalPostgresServer.StartAsync(new LocalPostgresOptions());
        var connection = await server.CreateDatabaseAsync("shop", $"do $$ begin for i in 1..{tables} loop execute format('create table t%s(id bigint generated always as identity primary key, v text)', i); end loop; end $$");
        await using var control = PostgresConnections.CreateControl(connection);
        await using var application = NpgsqlDataSource.Create(connection);
        await ControlSchema.MigrateAsync(control, CancellationToken.None);
        var side = new FencedSide(control, "m", [.. Enumerable.Range(1, tables).Select(i => new TableName("public", $"t{i}"))], "bench", TimeProvider.System);
        var prepared = await TimedAsync(() => side.PrepareOpenAsync(CancellationToken.None));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tables:N0} tables prepared in {prepared:0} ms"));

        var (acknowledged, writing) = (0L, true);
        var writers = Enumerable.Range(0, concurrent).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            await using var session = await application.OpenConnectionAsync();
            while (Volatile.Read(ref writing))
            {
                try
                {
                    await using var command = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture, $"insert into t{random.Next(1, tables + 1)}(v) values ('x')"), session);
                    await command.ExecuteNonQueryAsync();
                    Interlocked.Increment(ref acknowledged);
                }
                catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
                {
                    await Task.Delay(1);
                }
            }
        })).ToList();
        List<double> closed = [], sealable = [], opened = [];
        for (var round = 0; round < Rounds; round++)
        {
            var before = Interlocked.Read(ref acknowledged);
            await Task.Delay(500);
            var rate = (Interlocked.Read(ref acknowledged) - before) * 2;
            var token = round.ToString(CultureInfo.InvariantCulture);
            closed.Add(await TimedAsync(() => side.CloseAsync(token, round + 2, TimeSpan.FromMinutes(1), CancellationToken.None)));
            sealable.Add(await TimedAsync(() => side.FindGapsAsync(CancellationToken.None)));
            var (rows, known) = (await CountAsync(application, tables), Interlocked.Read(ref acknowledged));
            await Task.Delay(50);
            if (rows < known || await CountAsync(application, tables) != rows)
            {
                throw new InvalidOperationException("the fence did not hold");
            }

            opened.Add(await TimedAsync(() => side.UndoAsync(token, onlyForsaken: false, CancellationToken.None)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"round {round}: {rate:N0} writes/s; closed in {closed[^1]:0} ms, looked through in {sealable[^1]:0} ms, opened in {opened[^1]:0} ms; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}"));
        }

        Volatile.Write(ref writing, false);
        await Task.WhenAll(writers);
        if (await CountAsync(application, tables) != acknowledged)
        {
            throw new InvalidOperationException("an acknowledged write is missing");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {tables:N0} tables, {concurrent} writers | {Median(closed):0} | {closed.Max():0} | {Median(sealable):0} | {Median(opened):0} |"));
    }

    private static async Task<long> CountAsync(NpgsqlDataSource database, int tables)
    {
        await using var command = database.CreateCommand($"select sum((xpath('/row/c/text()', query_to_xml(format('select count(*) as c from t%s', i), false, true, '')))[1]::text::bigint)::bigint from generate_series(1, {tables}) i");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

    private static async Task<double> TimedAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }
}

using System.Diagnostics;
using System.Text;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>What PostgreSQL itself takes on one connection from rows that lie ready in memory: by COPY into the table, and by COPY into a temporary table and one upsert.</summary>
internal static class CopyLimit
{
    private const int ChunkRows = 20_000;

    public static async Task<IReadOnlyList<Result>> MeasureAsync(Rig rig, Workload workload)
    {
        var chunks = await ReadAsync(rig, workload);
        var upsert = await RunAsync(rig, workload, chunks, staged: true);
        return workload.Before.Length > 0 ? [upsert] : [await RunAsync(rig, workload, chunks, staged: false), upsert];
    }

    private static async Task<Result> RunAsync(Rig rig, Workload workload, IReadOnlyList<byte[]> chunks, bool staged)
    {
        var connectionString = await rig.CreateTargetAsync();
        await using var target = NpgsqlDataSource.Create(connectionString + ";Command Timeout=0");
        await using var connection = await target.OpenConnectionAsync();
        var columns = await Rig.ScalarAsync<string[]>(target, $"select array_agg(attname::text order by attnum) from pg_attribute where attrelid = '{workload.Table}'::regclass and attnum > 0");
        await ExecuteAsync(connection, $"create temporary table stage (like {workload.Table}) on commit delete rows");
        var upsert = $"insert into {workload.Table} select * from stage on conflict (id) do update set {string.Join(", ", columns.Skip(1).Select(column => $"{column} = excluded.{column}"))}";
        var begun = Stopwatch.GetTimestamp();
        foreach (var chunk in chunks)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var writer = await connection.BeginTextImportAsync($"copy {(staged ? "stage" : workload.Table)} from stdin"))
            {
                await ((StreamWriter)writer).BaseStream.WriteAsync(chunk);
            }

            if (staged)
            {
                await ExecuteAsync(connection, upsert);
            }

            await transaction.CommitAsync();
        }

        var rate = workload.Events / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return new Result(workload.Name, staged ? "limit: COPY to staging + upsert, one connection" : "limit: COPY into the table, one connection", "rows in memory", rate,
            await Stretch.AreEqualAsync(rig.Source, target, $"(select * from {workload.Table} where id < 1000000000)"));
    }

    private static async Task<IReadOnlyList<byte[]>> ReadAsync(Rig rig, Workload workload)
    {
        var chunks = new List<byte[]>();
        await using var connection = await rig.Source.OpenConnectionAsync();
        using var reader = await connection.BeginTextExportAsync($"copy (select * from {workload.Table} where id < 1000000000 order by ctid) to stdout");
        var text = new StringBuilder();
        for (var n = 1; await reader.ReadLineAsync() is { } line; n++)
        {
            text.Append(line).Append('\n');
            if (n % ChunkRows == 0)
            {
                chunks.Add(Encoding.UTF8.GetBytes(text.ToString()));
                text.Clear();
            }
        }

        if (text.Length > 0)
        {
            chunks.Add(Encoding.UTF8.GetBytes(text.ToString()));
        }

        return chunks;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

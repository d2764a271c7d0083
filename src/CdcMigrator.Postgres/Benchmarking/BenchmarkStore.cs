using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Benchmarking;

/// <summary>The last result of each benchmark, in the target's control schema. Every call may be repeated. Thread-safe.</summary>
/// <param name="target">The target, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class BenchmarkStore(NpgsqlDataSource target, string migration)
{
    /// <summary>Notes a result in place of the last one of its name.</summary>
    public async Task NoteAsync(BenchmarkResult result, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(result);
        try
        {
            await using var command = target.CreateCommand("""
                insert into cdc_migrator.benchmark_result as b (migration, name, fingerprint, outcome, reason, results, result_rows, runs, source_p50, source_p95, target_p50, target_p95, ratio, max_ratio, at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                on conflict (migration, name) do update set fingerprint = excluded.fingerprint, outcome = excluded.outcome, reason = excluded.reason, results = excluded.results,
                    result_rows = excluded.result_rows, runs = excluded.runs, source_p50 = excluded.source_p50, source_p95 = excluded.source_p95, target_p50 = excluded.target_p50,
                    target_p95 = excluded.target_p95, ratio = excluded.ratio, max_ratio = excluded.max_ratio, at = excluded.at
                """);
            foreach (var value in new object[]
            {
                migration, result.Name, result.Fingerprint, result.Outcome.ToString(), result.Reason, result.Results, result.Rows, result.Runs,
                result.SourceP50, result.SourceP95, result.TargetP50, result.TargetP95, result.Ratio, result.MaxRatio, result.At,
            })
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>The last result of each, by name.</summary>
    public async Task<IReadOnlyList<BenchmarkResult>> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = target.CreateCommand("""
                select name, fingerprint, outcome, reason, results, result_rows, runs, source_p50, source_p95, target_p50, target_p95, ratio, max_ratio, at
                from cdc_migrator.benchmark_result where migration = $1 order by name
                """);
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var results = new List<BenchmarkResult>();
            while (await reader.ReadAsync(cancellationToken))
            {
                results.Add(new BenchmarkResult(reader.GetString(0), reader.GetString(1), Enum.Parse<BenchmarkOutcome>(reader.GetString(2)), reader.GetFieldValue<DateTimeOffset>(13))
                {
                    Reason = reader.GetString(3),
                    Results = reader.GetString(4),
                    Rows = reader.GetInt64(5),
                    Runs = reader.GetInt32(6),
                    SourceP50 = reader.GetDouble(7),
                    SourceP95 = reader.GetDouble(8),
                    TargetP50 = reader.GetDouble(9),
                    TargetP95 = reader.GetDouble(10),
                    Ratio = reader.GetDouble(11),
                    MaxRatio = reader.GetDecimal(12),
                });
            }

            return results;
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}

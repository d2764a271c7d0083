using System.Text.Json;
using System.Text.Json.Serialization;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Postgres.Faults;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>What the checks beside the rows found last, in the target's control schema. A kind's report is replaced as a whole. Every call may be repeated. Thread-safe.</summary>
/// <param name="target">The target, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class CheckStore(NpgsqlDataSource target, string migration)
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() }, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, IgnoreReadOnlyProperties = true };
    private readonly VerificationOwner own = new(target, migration);

    /// <summary>The last report of each kind that was ever made, in the order of kinds.</summary>
    /// <exception cref="Domain.Faults.FaultException">The target does not answer.</exception>
    public async Task<IReadOnlyList<CheckReport>> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = target.CreateCommand("select kind, at, took, run, evidence, fault, results::text, more, asked::text from cdc_migrator.verification_check where migration = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var reports = new List<CheckReport>();
            while (await reader.ReadAsync(cancellationToken))
            {
                // A kind a newer version knows is none of ours.
                if (Enum.TryParse<CheckKind>(reader.GetString(0), out var kind))
                {
                    reports.Add(new CheckReport
                    {
                        Kind = kind,
                        At = reader.GetFieldValue<DateTimeOffset>(1),
                        Took = reader.GetFieldValue<TimeSpan>(2),
                        Run = reader.GetInt64(3),
                        Evidence = reader.IsDBNull(4) ? null : reader.GetString(4),
                        Fault = reader.IsDBNull(5) ? null : reader.GetString(5),
                        Results = JsonSerializer.Deserialize<List<CheckResult>>(reader.GetString(6), Json)!,
                        More = reader.GetInt32(7),
                        Asked = JsonSerializer.Deserialize<Dictionary<string, string>>(reader.GetString(8))!,
                    });
                }
            }

            return [.. reports.OrderBy(report => report.Kind)];
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Keeps a report in place of the last one of its kind.</summary>
    /// <param name="report">What was found.</param>
    /// <param name="owner">What <see cref="VerificationStore.ClaimAsync"/> gave.</param>
    /// <param name="cancellationToken">Gives up; may be repeated.</param>
    /// <exception cref="Domain.Faults.FaultException">Fenced: another process compares, and what it kept stays. Others: the target does not answer.</exception>
    public async Task SaveAsync(CheckReport report, long owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(report);
        try
        {
            await own.WriteAsync(owner, connection => SaveAsync(connection, report, cancellationToken), cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private async Task SaveAsync(NpgsqlConnection connection, CheckReport report, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            insert into cdc_migrator.verification_check (migration, kind, at, took, run, evidence, fault, results, more, asked) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb)
            on conflict (migration, kind) do update set at = excluded.at, took = excluded.took, run = excluded.run, evidence = excluded.evidence, fault = excluded.fault,
                results = excluded.results, more = excluded.more, asked = excluded.asked
            """,
            connection);
        foreach (var value in new object[] { migration, report.Kind.ToString(), report.At.ToUniversalTime(), report.Took, report.Run })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        command.Parameters.Add(new NpgsqlParameter { Value = (object?)report.Evidence ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)report.Fault ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = JsonSerializer.Serialize(report.Results, Json), NpgsqlDbType = NpgsqlDbType.Json });
        command.Parameters.Add(new NpgsqlParameter { Value = report.More });
        command.Parameters.Add(new NpgsqlParameter { Value = JsonSerializer.Serialize(report.Asked) });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

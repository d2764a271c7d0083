using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Waivers;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Control;

/// <summary>Criteria of the gate that a person waived, in the control schema of the side that is written to. Each change is in the journal, in its own transaction. Thread-safe.</summary>
/// <param name="target">The side that is written to, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class WaiverStore(NpgsqlDataSource target, string migration)
{
    private const string Columns = "criterion, finding, measured, reason, waived_by, at, until";

    /// <summary>All that were not revoked, those that are over or count no more among them, by criterion.</summary>
    /// <exception cref="FaultException">Unreachable, Transient.</exception>
    public Task<IReadOnlyList<Waiver>> ReadAsync(CancellationToken cancellationToken) =>
        ReadAsync($"select {Columns} from cdc_migrator.waiver where migration = $1 order by criterion", cancellationToken, migration);

    /// <summary>Waives a criterion for what was found of it, in place of what was waived of it before.</summary>
    /// <param name="criterion">Its name.</param>
    /// <param name="finding">Fingerprint of what was found.</param>
    /// <param name="measured">What was found, for people.</param>
    /// <param name="reason">Why it need not pass.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="time">How long it holds, by this side's clock; null for as long as the same is found.</param>
    /// <param name="cancellationToken">Gives up; it may have been done.</param>
    /// <exception cref="FaultException">Unreachable, Transient: it may have been done, and may be repeated.</exception>
    public async Task<Waiver> WaiveAsync(string criterion, string finding, string measured, string reason, string by, TimeSpan? time, CancellationToken cancellationToken) => (await ReadAsync(
        $"""
        with waived as (
            insert into cdc_migrator.waiver as w (migration, criterion, finding, measured, reason, waived_by, until)
            values ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval)
            on conflict (migration, criterion) do update set finding = excluded.finding, measured = excluded.measured, reason = excluded.reason, waived_by = excluded.waived_by,
                at = excluded.at, until = excluded.until
            returning w.*),
        noted as (
            insert into cdc_migrator.journal (migration, actor, event, evidence) select migration, waived_by, 'waived', to_jsonb(waived) - 'migration' from waived)
        select {Columns} from waived
        """, cancellationToken, migration, criterion, finding, measured, reason, by, (object?)time ?? DBNull.Value))[0];

    /// <summary>Takes a waiver back; false where there is none.</summary>
    /// <exception cref="FaultException">Unreachable, Transient: it may have been done, and may be repeated.</exception>
    public async Task<bool> RevokeAsync(string criterion, string by, CancellationToken cancellationToken) => (await ReadAsync(
        $"""
        with revoked as (delete from cdc_migrator.waiver where migration = $1 and criterion = $2 returning *),
        noted as (
            insert into cdc_migrator.journal (migration, actor, event, evidence) select migration, $3, 'waiver-revoked', to_jsonb(revoked) - 'migration' from revoked)
        select {Columns} from revoked
        """, cancellationToken, migration, criterion, by)).Count > 0;

    private async Task<IReadOnlyList<Waiver>> ReadAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        try
        {
            await using var command = target.CreateCommand(sql);
            foreach (var value in values)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var waivers = new List<Waiver>();
            while (await reader.ReadAsync(cancellationToken))
            {
                waivers.Add(new Waiver(
                    reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4), reader.GetFieldValue<DateTimeOffset>(5),
                    reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTimeOffset>(6)));
            }

            return waivers;
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}

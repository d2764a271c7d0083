using CdcMigrator.Domain.Preflight;
using Npgsql;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>
/// Whether it can be seen which session reads a slot: the beginning of another role's session is hidden, and a process id alone comes back (in a container nearly always the same one), so that a connector which began
/// anew would be taken for the one before.
/// </summary>
internal static class SlotReaderCheck
{
    private const string Query = """
        select not pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') and (
                coalesce((select not pg_catalog.pg_has_role(r.oid, 'USAGE') from pg_catalog.pg_roles r where r.rolname = $1), false)
                or exists (select from pg_catalog.pg_replication_slots s join pg_catalog.pg_stat_replication r on r.pid = s.active_pid where s.slot_name = $2 and r.backend_start is null)),
            pg_catalog.quote_ident(current_user)
        """;

    /// <summary>Nothing, or <c>slot-reader-hidden</c>.</summary>
    /// <param name="source">The database whose slot is read.</param>
    /// <param name="role">The role the connector logs in as; null, or one the server does not know, where its settings do not say.</param>
    /// <param name="slot">The slot.</param>
    /// <param name="sides">What the database is called.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(NpgsqlDataSource source, string? role, string slot, SideWords sides, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(Query);
        command.Parameters.Add(new NpgsqlParameter { Value = role ?? "" });
        command.Parameters.Add(new NpgsqlParameter { Value = slot });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return !reader.GetBoolean(0) ? [] :
        [
            new Finding(
                Severity.Error, "slot-reader-hidden",
                $"Role {reader.GetString(1)} may not see since when slot {slot} of the {sides.Read} is read, for the connector logs in as another one: that it began anew could not be told, and no cutover begins",
                $"GRANT pg_read_all_stats TO {reader.GetString(1)} in the {sides.Read}, or have the connector log in as that role"),
        ];
    }
}

using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>A source's lineage: positions compare only within one (invariant A2).</summary>
/// <param name="SystemIdentifier">Identifier of the cluster, made by initdb.</param>
/// <param name="Timeline">Timeline, which changes at a promotion.</param>
public sealed record SourceIdentity(string SystemIdentifier, int Timeline)
{
    /// <summary>Reads the identity of a server.</summary>
    public static async Task<SourceIdentity> ReadAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        await using var command = source.CreateCommand(
            "select s.system_identifier::text, c.timeline_id from pg_control_system() s, pg_control_checkpoint() c");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new SourceIdentity(reader.GetString(0), reader.GetInt32(1));
    }
}

using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>A source's lineage: positions compare only within one (invariant A2).</summary>
/// <param name="SystemIdentifier">Identifier of the cluster, made by initdb.</param>
/// <param name="Timeline">Timeline, which changes at a promotion.</param>
public sealed record SourceIdentity(string SystemIdentifier, int Timeline)
{
    /// <summary>Identifier and timeline, as the evidence of a cutover names them.</summary>
    public override string ToString() => $"{SystemIdentifier}/{Timeline}";

    /// <summary>Reads the identity of a primary. The timeline is that of the WAL being written: the control file's follows a promotion only with the next checkpoint.</summary>
    public static async Task<SourceIdentity> ReadAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        await using var command = source.CreateCommand(
            "select system_identifier::text, ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int from pg_control_system()");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new SourceIdentity(reader.GetString(0), reader.GetInt32(1));
    }
}

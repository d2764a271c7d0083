using System.Globalization;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Control;

/// <summary>The source lineage a migration began with, kept in the target's <c>migration</c> row (invariant A2).</summary>
public static class LineageStore
{
    /// <summary>Records the lineage if none is recorded, and refuses another one. Idempotent; processes may race.</summary>
    /// <exception cref="FaultException">LogBroken <c>lineage</c>: the source is another cluster or was promoted; positions do not compare.</exception>
    public static async Task<SourceIdentity> RecordAsync(NpgsqlDataSource target, string migration, SourceIdentity seen, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(seen);
        await using var command = target.CreateCommand("""
            insert into cdc_migrator.migration as m (name, source_system, source_timeline) values ($1, $2, $3)
            on conflict (name) do update set source_system = coalesce(m.source_system, excluded.source_system),
                source_timeline = coalesce(m.source_timeline, excluded.source_timeline)
            returning source_system, source_timeline
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = seen.SystemIdentifier });
        command.Parameters.Add(new NpgsqlParameter { Value = seen.Timeline });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var recorded = new SourceIdentity(reader.GetString(0), reader.GetInt32(1));
        Require(recorded, seen);
        return recorded;
    }

    /// <summary>Refuses a lineage other than the recorded one.</summary>
    /// <exception cref="FaultException">LogBroken <c>lineage</c>.</exception>
    public static void Require(SourceIdentity recorded, SourceIdentity seen)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        if (recorded != seen)
        {
            throw new FaultException(FaultKind.LogBroken, "lineage",
                $"The source is system {seen.SystemIdentifier} on timeline {seen.Timeline}, but this migration began with system {recorded.SystemIdentifier} on timeline {recorded.Timeline}: its positions do not compare",
                "If the source was promoted or replaced, changes may be missing: start a new migration, or compare all rows before going on");
        }
    }

    /// <summary>Reads the heartbeat row's value, <c>system identifier/timeline</c>; null where it is something else.</summary>
    public static SourceIdentity? Parse(string? heartbeat)
    {
        var slash = heartbeat?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        return slash > 0 && int.TryParse(heartbeat.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var timeline)
            ? new SourceIdentity(heartbeat![..slash], timeline)
            : null;
    }
}

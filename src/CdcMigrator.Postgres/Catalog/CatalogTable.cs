using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>A table as a PostgreSQL catalog describes it, on either side.</summary>
/// <param name="Name">Schema and name.</param>
/// <param name="Kind"><c>relkind</c>: r or p where it can be migrated.</param>
/// <param name="ReplicaIdentity"><c>relreplident</c>: d, n, f or i.</param>
/// <param name="HasSecondaryUniqueness">More than one unique index or exclusion constraint.</param>
internal sealed record CatalogTable(TableName Name, char Kind, char ReplicaIdentity, bool HasSecondaryUniqueness)
{
    /// <summary>Columns in attribute order.</summary>
    public required IReadOnlyList<CatalogColumn> Columns { get; init; }

    /// <summary>Keys that can identify a row, the primary key first.</summary>
    public required IReadOnlyList<UniqueKey> Keys { get; init; }

    /// <summary>The index of REPLICA IDENTITY USING INDEX; null otherwise.</summary>
    public string? IdentityIndex { get; init; }

    /// <summary>UNLOGGED: its changes are not in the WAL.</summary>
    public bool Unlogged { get; init; }

    /// <summary>Policies apply to the role that asks, which would not see all rows.</summary>
    public bool RowSecurityApplies { get; init; }

    /// <summary>Rights on the table the role that asks lacks: <c>SELECT</c>, …</summary>
    public IReadOnlyList<string> LacksRights { get; init; } = [];

    /// <summary>Triggers that fire in the replica role too.</summary>
    public IReadOnlyList<string> FiringTriggers { get; init; } = [];

    /// <summary>The primary key exists but is DEFERRABLE: no arbiter for upserts, and not enforced in the replica role.</summary>
    public bool HasDeferrableKey { get; init; }

    /// <summary>The table in the Domain's words.</summary>
    public TargetTable ToTargetTable() => new()
    {
        Name = Name,
        Columns = [.. Columns.Select(column => column.Column)],
        Keys = Keys,
        HasSecondaryUniqueness = HasSecondaryUniqueness,
    };
}

using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>A table as a PostgreSQL catalog describes it, on either side.</summary>
/// <param name="Name">Schema and name.</param>
/// <param name="Kind"><c>relkind</c>: r or p where it can be migrated.</param>
/// <param name="ReplicaIdentity"><c>relreplident</c>: d, n, f or i.</param>
/// <param name="RowSecurity">Row level security is enabled.</param>
/// <param name="HasSecondaryUniqueness">More than one unique index or exclusion constraint.</param>
internal sealed record CatalogTable(TableName Name, char Kind, char ReplicaIdentity, bool RowSecurity, bool HasSecondaryUniqueness)
{
    /// <summary>Columns in attribute order.</summary>
    public required IReadOnlyList<CatalogColumn> Columns { get; init; }

    /// <summary>Keys that can identify a row, the primary key first.</summary>
    public required IReadOnlyList<UniqueKey> Keys { get; init; }

    /// <summary>The index of REPLICA IDENTITY USING INDEX; null otherwise.</summary>
    public string? IdentityIndex { get; init; }

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

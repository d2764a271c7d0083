using CdcMigrator.Postgres.Catalog;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>A table of the source with what only an audit asks of the catalog and the server's counters.</summary>
/// <param name="Catalog">The table as preflight sees it.</param>
internal sealed record AuditedTable(CatalogTable Catalog)
{
    /// <summary>The planner's estimate of its rows, of all partitions.</summary>
    public required long EstimatedRows { get; init; }

    /// <summary>Bytes with indexes and values out of line, of all partitions.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes of values out of line.</summary>
    public required long ToastBytes { get; init; }

    /// <summary>Partitions, or tables that inherit from it.</summary>
    public required int Parts { get; init; }

    /// <summary>Tables it inherits from; empty for a partition.</summary>
    public required IReadOnlyList<string> Parents { get; init; }

    /// <summary>It is a partition of another table.</summary>
    public required bool IsPartition { get; init; }

    /// <summary>Rows inserted, updated and deleted since the server's counters began.</summary>
    public required long Writes { get; init; }

    /// <summary>Enabled triggers of its own.</summary>
    public required IReadOnlyList<string> Triggers { get; init; }

    /// <summary>Deferrable unique, primary key and exclusion constraints.</summary>
    public required IReadOnlyList<string> Deferrable { get; init; }

    /// <summary>Rules that rewrite statements.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    /// <summary>What sort of type a column has, where that matters: enum, domain, composite, range, array, citext; by column.</summary>
    public required IReadOnlyDictionary<string, string> Sorts { get; init; }

    /// <summary>Columns under a collation in which different texts may be equal.</summary>
    public required IReadOnlySet<string> Nondeterministic { get; init; }
}

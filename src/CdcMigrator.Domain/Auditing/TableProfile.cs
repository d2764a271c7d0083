namespace CdcMigrator.Domain.Auditing;

/// <summary>A table and what it holds.</summary>
/// <param name="Table">Name in the source, <c>schema.table</c>.</param>
/// <param name="Kind">table or partitioned.</param>
public sealed record TableProfile(string Table, string Kind)
{
    /// <summary>Rows: counted where the whole table was read, else the server's estimate.</summary>
    public long Rows { get; init; }

    /// <summary>Rows that were read; less than <see cref="Rows"/> for a sample, 0 where the table was not read.</summary>
    public long RowsRead { get; init; }

    /// <summary>Per cent of the table that was to be read; 100 for all of it.</summary>
    public double SamplePercent { get; init; } = 100;

    /// <summary>Bytes with indexes and values out of line.</summary>
    public long Bytes { get; init; }

    /// <summary>Bytes of values stored out of line.</summary>
    public long ToastBytes { get; init; }

    /// <summary>
    /// Bytes of the largest row that was read, as the text of its columns (bytes as Base64), which is about what an event carries of it; null where it was not read. With a name a column
    /// and quotes an event is somewhat larger.
    /// </summary>
    public long? LargestRowBytes { get; init; }

    /// <summary>Why its values are not known: it was locked, may not be read, or took too long. Null where they are.</summary>
    public string? NotProfiled { get; init; }

    /// <summary>Columns that identify a row for capturing and applying; empty where there are none.</summary>
    public IReadOnlyList<string> Key { get; init; } = [];

    /// <summary>Replica identity: default, nothing, full or index; storage engine for MariaDB and MySQL.</summary>
    public string Identity { get; init; } = "";

    /// <summary>Rows inserted, updated and deleted a second, on average since the server's counters began. Null where they are not known.</summary>
    public double? WritesPerSecond { get; init; }

    /// <summary>Partitions, or tables that inherit from it.</summary>
    public int Parts { get; init; }

    /// <summary>Triggers of its own.</summary>
    public IReadOnlyList<string> Triggers { get; init; } = [];

    /// <summary>Its columns, in their order.</summary>
    public IReadOnlyList<ColumnProfile> Columns { get; init; } = [];

    /// <summary>Seconds the reading took.</summary>
    public double Seconds { get; init; }
}

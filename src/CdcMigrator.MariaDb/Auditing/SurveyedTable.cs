using CdcMigrator.MariaDb.Catalog;

namespace CdcMigrator.MariaDb.Auditing;

/// <summary>A table with what only an audit asks of <c>information_schema</c>.</summary>
/// <param name="Catalog">The table as preflight sees it.</param>
internal sealed record SurveyedTable(SourceTable Catalog)
{
    /// <summary>The server's estimate of its rows.</summary>
    public required long EstimatedRows { get; init; }

    /// <summary>Bytes with indexes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Next AUTO_INCREMENT; null without one.</summary>
    public decimal? AutoIncrement { get; init; }

    /// <summary>Its triggers.</summary>
    public IReadOnlyList<string> Triggers { get; init; } = [];

    /// <summary>Unique keys with text under a collation in which different texts are equal: key and columns.</summary>
    public IReadOnlyList<string> LooseKeys { get; init; } = [];

    /// <summary>Columns a query has to name to see them.</summary>
    public IReadOnlyList<string> Invisible { get; init; } = [];

    /// <summary>Columns MariaDB made for the word JSON: text with a check.</summary>
    public IReadOnlySet<string> Json { get; init; } = new HashSet<string>();

    /// <summary>The column with AUTO_INCREMENT; null without one.</summary>
    public string? AutoColumn { get; init; }
}

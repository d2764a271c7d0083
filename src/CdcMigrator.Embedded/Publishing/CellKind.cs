namespace CdcMigrator.Embedded.Publishing;

/// <summary>What the source sent for a column.</summary>
internal enum CellKind
{
    /// <summary>NULL.</summary>
    Null,

    /// <summary>PostgreSQL's text form, in UTF-8.</summary>
    Text,

    /// <summary>An unchanged TOAST value, left out.</summary>
    Unchanged,
}

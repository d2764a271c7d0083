namespace CdcMigrator.Domain.Changes;

/// <summary>What an event says about one column.</summary>
public enum ColumnState
{
    /// <summary>The event has no such field. The column is neither inserted nor updated from it.</summary>
    Absent,

    /// <summary>The event has the field but not its value (TOAST placeholder). Never written from the event; reselected where the row is missing.</summary>
    Unavailable,

    /// <summary>The value is SQL NULL.</summary>
    Null,

    /// <summary>The value is carried, as PostgreSQL's text form in UTF-8.</summary>
    Value,
}

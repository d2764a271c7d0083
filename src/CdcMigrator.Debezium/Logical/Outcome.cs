namespace CdcMigrator.Debezium.Logical;

/// <summary>What became of one value.</summary>
internal enum Outcome
{
    /// <summary>Its text was written.</summary>
    Value,

    /// <summary>SQL NULL.</summary>
    Null,

    /// <summary>It is the placeholder of an unchanged TOAST value; nothing was written, or what was written is to be dropped.</summary>
    Unavailable,

    /// <summary>The event's form may not be the source's value: to be reselected. Nothing was written, or what was written is to be dropped.</summary>
    Unfaithful,
}

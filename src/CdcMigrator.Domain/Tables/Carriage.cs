namespace CdcMigrator.Domain.Tables;

/// <summary>What events carry of a column's values, under one connector's settings.</summary>
public enum Carriage
{
    /// <summary>Every value that can be told from others; single values that cannot are recognised and read again.</summary>
    Whole,

    /// <summary>Values, but NULL may stand for one the connector could not convert; a row with NULL there is read again.</summary>
    NullIsAmbiguous,

    /// <summary>Nothing that can be trusted: the column is read again for every change of a row.</summary>
    Never,

    /// <summary>As <see cref="Never"/>, and the connector cannot even convert a value: it publishes NULL, and stops where the column is NOT NULL.</summary>
    Unconvertible,
}

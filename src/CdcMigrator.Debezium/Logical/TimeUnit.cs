namespace CdcMigrator.Debezium.Logical;

/// <summary>Unit of an integer time; its value is the number of units in a second.</summary>
internal enum TimeUnit : long
{
    /// <summary>1/1,000 s.</summary>
    Milliseconds = 1_000,

    /// <summary>1/1,000,000 s, PostgreSQL's own.</summary>
    Microseconds = 1_000_000,

    /// <summary>1/1,000,000,000 s.</summary>
    Nanoseconds = 1_000_000_000,
}

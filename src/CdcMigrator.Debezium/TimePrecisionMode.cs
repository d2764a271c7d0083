namespace CdcMigrator.Debezium;

/// <summary>Debezium's <c>time.precision.mode</c>.</summary>
public enum TimePrecisionMode
{
    /// <summary>Milliseconds up to three fractional digits, microseconds beyond. PostgreSQL's default.</summary>
    Adaptive,

    /// <summary>As adaptive, but every time of day in microseconds. MariaDB's default.</summary>
    AdaptiveTimeMicroseconds,

    /// <summary>Everything in microseconds: the faithful one.</summary>
    Microseconds,

    /// <summary>Everything in nanoseconds.</summary>
    Nanoseconds,

    /// <summary>ISO-8601 text.</summary>
    IsoString,

    /// <summary>Kafka Connect's own types in milliseconds; finer fractions are lost.</summary>
    Connect,

    /// <summary>Structs of year, month, day and so on (Debezium 3.7).</summary>
    Structured,
}

namespace CdcMigrator.Reconciliation.Reading;

/// <summary>Debezium's <c>time.precision.mode</c>, as far as keys can be read under it.</summary>
public enum TimeEncoding
{
    /// <summary>A mode that is not known here: no key with a date or time is told.</summary>
    Unknown,

    /// <summary>Milliseconds up to three declared digits of a second, else microseconds.</summary>
    Adaptive,

    /// <summary>As adaptive, but times of day always in microseconds.</summary>
    AdaptiveTimeMicroseconds,

    /// <summary>Always microseconds.</summary>
    Microseconds,

    /// <summary>Always nanoseconds.</summary>
    Nanoseconds,

    /// <summary>Always milliseconds: finer values are cut.</summary>
    Connect,

    /// <summary>ISO 8601 text.</summary>
    IsoString,
}

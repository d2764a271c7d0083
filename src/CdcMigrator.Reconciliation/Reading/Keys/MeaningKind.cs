namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>What the value of a field in an event is.</summary>
internal enum MeaningKind
{
    /// <summary>The schema names nothing: the value is what its primitive type says.</summary>
    Plain,

    /// <summary>Days since 1970.</summary>
    Days,

    /// <summary>Milliseconds of a day.</summary>
    TimeMillis,

    /// <summary>Microseconds of a day.</summary>
    TimeMicros,

    /// <summary>Nanoseconds of a day.</summary>
    TimeNanos,

    /// <summary>Milliseconds since 1970, of a clock without a zone.</summary>
    StampMillis,

    /// <summary>Microseconds since 1970, likewise.</summary>
    StampMicros,

    /// <summary>Nanoseconds since 1970, likewise.</summary>
    StampNanos,

    /// <summary>ISO text of a date.</summary>
    IsoDate,

    /// <summary>ISO text of a time of day.</summary>
    IsoTime,

    /// <summary>ISO text of a time without a zone.</summary>
    IsoStamp,

    /// <summary>ISO text of a time with a zone.</summary>
    IsoZoned,

    /// <summary>Big-endian bytes of an unscaled number; the scale is known.</summary>
    Decimal,

    /// <summary>A label of an enum.</summary>
    Enum,

    /// <summary>Text whose type Debezium knows: uuid, ltree, …</summary>
    NamedText,

    /// <summary>Bits, the lowest first.</summary>
    Bits,

    /// <summary>PostgreSQL's output text of any type.</summary>
    OutputText,

    /// <summary>Something no key is read from.</summary>
    Unknown,
}

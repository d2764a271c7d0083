namespace CdcMigrator.Postgres.Catalog;

/// <summary>What a column's values may have that its type does not tell and events do not carry.</summary>
internal enum ValueTrait
{
    /// <summary>Arrays of several dimensions, or with a lower bound other than 1: their shape is not in events.</summary>
    ArrayShape,

    /// <summary>Dates before Christ, which a snapshot reads as of our era or as NULL.</summary>
    DateBeforeChrist,

    /// <summary>Intervals of more hours than an int32: the connector reads them again and again, for ever.</summary>
    LongInterval,

    /// <summary>Zone offsets with seconds: the connector stops at them.</summary>
    OffsetWithSeconds,

    /// <summary>Values large enough to be stored out of line, of a NOT NULL column whose unchanged values become NULL: the connector stops at them.</summary>
    OutOfLine,
}

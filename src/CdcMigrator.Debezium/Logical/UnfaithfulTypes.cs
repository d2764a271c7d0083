using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// Column types that Debezium 3.5 cannot carry faithfully under any setting. They are never written from an event but reselected by key
/// (invariant A5). Everything here was observed with real connectors; where a single value is at fault, its logical type says so.
/// </summary>
internal static class UnfaithfulTypes
{
    /// <summary>A pointer to a value out of line takes 18 bytes; what is not longer stays in the row.</summary>
    private const int LongestInlineBits = 64;

    /// <summary>Whether no value of the type can be taken from an event.</summary>
    public static bool Contains(ColumnType type) => type.Kind switch
    {
        // 12:34:56+05:30 arrives as 07:04:56Z, 24:00:00 as 00:00:00Z.
        ColumnKind.TimeTz => true,

        // '101' and '00101' arrive alike: the length is lost.
        ColumnKind.VarBit => true,

        // The XML declaration is dropped.
        ColumnKind.Text => type.BaseName == "xml",
        ColumnKind.Array => type.Element is null || ContainsArrayOf(type.Element),
        _ => false,
    };

    /// <summary>Whether events have no field at all for the column, so that a missing field does not mean a missing column.</summary>
    public static bool IsMissingInEvents(ColumnType type, DebeziumSettings settings) => type.Kind switch
    {
        ColumnKind.Opaque => !settings.UnknownTypesIncluded && type.BaseName is not ("vector" or "halfvec" or "sparsevec" or "geometry" or "geography"),
        ColumnKind.Array => type.Element is { } element
            && (element.Kind is ColumnKind.Money or ColumnKind.Interval or ColumnKind.VarBit or ColumnKind.Point
                || element.BaseName is "name" or "xml"
                || (element.Kind == ColumnKind.Opaque && !settings.UnknownTypesIncluded)),
        _ => false,
    };

    /// <summary>
    /// Whether null may stand for something else, because the connector could not convert a value and went on: an unchanged TOAST value, NaN in a
    /// numeric[], NULL in an enum[]. Debezium has a placeholder in arrays for these element types only; bytea loses it in the modes but
    /// <c>bytes</c> (and <c>hex</c>, outside of arrays), numeric in all modes but <c>string</c>.
    /// </summary>
    public static bool IsNullAmbiguous(ColumnType type, DebeziumSettings settings) => type.Kind switch
    {
        ColumnKind.Numeric => settings.Decimals != DecimalHandlingMode.Text,

        // Shorter ones are never stored out of line.
        ColumnKind.Bit => type.Modifier > LongestInlineBits,
        ColumnKind.Bytes => settings.Binary is BinaryHandlingMode.Base64 or BinaryHandlingMode.Base64UrlSafe,
        ColumnKind.Array => type.Element is not { } element || (element.Kind == ColumnKind.Bytes
            ? settings.Binary != BinaryHandlingMode.Bytes
            : element.BaseName is not ("text" or "varchar" or "bpchar" or "json" or "jsonb" or "int4" or "int8" or "uuid")),
        _ => false,
    };

    /// <summary>Whether every value is published as NULL, which stops the connector where the column is NOT NULL: bit(n)[], composite[], domain[], tsquery[].</summary>
    public static bool IsUnconvertible(ColumnType type) =>
        type.Kind == ColumnKind.Array && type.BaseName is not ("int2vector" or "oidvector") && type.Element is null or { Kind: ColumnKind.Bit or ColumnKind.Opaque };

    private static bool ContainsArrayOf(ColumnType element) => element.Kind switch
    {
        // No field in the event, whatever the settings.
        ColumnKind.Money or ColumnKind.Interval or ColumnKind.VarBit or ColumnKind.Point => true,

        // Null and a warning in the connector's log: bit(n)[], composite[].
        ColumnKind.Bit or ColumnKind.Opaque => true,

        // time[] is cut to milliseconds, timetz[] to seconds.
        ColumnKind.Time or ColumnKind.TimeTz => true,

        // BC elements arrive as AD, which nothing in the value betrays.
        ColumnKind.Date or ColumnKind.TimestampTz => true,

        // Several dimensions are not a type of their own in PostgreSQL.
        ColumnKind.Array => true,

        // No field (name[], xml[]); null and a warning (ltree[], tsvector[]).
        _ => element.BaseName is "name" or "xml" or "ltree" or "tsvector",
    };
}

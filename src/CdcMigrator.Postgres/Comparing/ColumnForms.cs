using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// In which form a pair of columns is compared. Two columns have a form only if every value that was carried over faithfully has the same text in it: where there
/// is none, the table cannot be compared, which is said rather than a mismatch that is none. Pure.
/// </summary>
internal static class ColumnForms
{
    /// <summary>The form of a pair; null where there is none.</summary>
    public static CanonicalForm? Of(SideType source, SideType target)
    {
        if (source.Element is not null && target.Element is not null)
        {
            // Within an array nothing can be normalised.
            return Of(source.Element, target.Element) == CanonicalForm.Text ? CanonicalForm.Text : null;
        }

        if (IsSame(source, target))
        {
            return source.BuiltIn switch
            {
                "numeric" when source.Modifier != target.Modifier => CanonicalForm.TrimmedNumber,
                "bpchar" when source.Modifier != target.Modifier => CanonicalForm.Unpadded,
                _ => CanonicalForm.Text,
            };
        }

        return (source.BuiltIn, target.BuiltIn) switch
        {
            ("int2" or "int4" or "int8" or "oid", "int2" or "int4" or "int8" or "oid") => CanonicalForm.Text,
            ("int2" or "int4" or "int8" or "oid" or "money", "numeric") or ("numeric", "int2" or "int4" or "int8" or "oid" or "money") => CanonicalForm.TrimmedNumber,
            ("float4" or "int2" or "int4", "float8") or ("float8", "float4" or "int2" or "int4") or ("int2", "float4") or ("float4", "int2") => CanonicalForm.Double,
            ("json", "jsonb") or ("jsonb", "json") => CanonicalForm.Json,
            ("timestamp" or "timestamptz" or "date", "timestamp" or "timestamptz" or "date") => CanonicalForm.Utc,
            ("bit", "varbit") or ("varbit", "bit") => CanonicalForm.Text,
            _ when HoldsText(source) && HoldsText(target) => source.BuiltIn == "bpchar" || target.BuiltIn == "bpchar" ? CanonicalForm.Unpadded : CanonicalForm.Text,
            _ when HoldsText(target) && target.BuiltIn != "bpchar" && HasOneText(source) => CanonicalForm.Text,
            _ => null,
        };
    }

    /// <summary>Whether a type's text may hold anything, the separator of a canonical row included. What is not known may.</summary>
    public static bool IsFreeText(SideType type) => type.BuiltIn is not ("bool" or "int2" or "int4" or "int8" or "oid" or "float4" or "float8" or "numeric" or "money"
        or "date" or "time" or "timetz" or "timestamp" or "timestamptz" or "interval" or "uuid" or "bytea" or "bit" or "varbit" or "inet" or "cidr" or "macaddr" or "macaddr8"
        or "pg_lsn" or "xid");

    /// <summary>Whether a row can be found on either side by the text a key has on the other.</summary>
    public static bool CanBeKey(SideType source, SideType target, CanonicalForm form) =>
        IsSame(source, target)
        || (source.BuiltIn is "int2" or "int4" or "int8" && target.BuiltIn is "int2" or "int4" or "int8")
        || (source.BuiltIn is "text" or "varchar" && target.BuiltIn is "text" or "varchar" && form == CanonicalForm.Text);

    /// <summary>The type a key's text is cast to on one side: the wider integer, for the other side's value need not fit, and the index takes both.</summary>
    public static string KeyType(SideType own, SideType other) =>
        own.BuiltIn is "int2" or "int4" or "int8" && other.BuiltIn is "int2" or "int4" or "int8" && string.CompareOrdinal(own.BuiltIn, other.BuiltIn) < 0 ? other.Sql : own.Sql;

    /// <summary>Whether both sides sort the column's values alike.</summary>
    public static bool SortsAlike(SideColumn source, SideColumn target) => (source.Type.BuiltIn, target.Type.BuiltIn) switch
    {
        ("int2" or "int4" or "int8", "int2" or "int4" or "int8") => true,
        ("oid" or "uuid" or "date" or "time" or "timestamp" or "timestamptz" or "numeric" or "bytea" or "bool", _) => source.Type.BuiltIn == target.Type.BuiltIn,
        ("text" or "varchar", "text" or "varchar") or ("bpchar", "bpchar") =>
            source.Collation is { } here && target.Collation is { } there && here.SortsAs(there),
        _ => false,
    };

    private static bool IsSame(SideType source, SideType target) =>
        source.Element is null && target.Element is null
        && (source.Schema == "pg_catalog") == (target.Schema == "pg_catalog") && source.Name == target.Name && source.Kind == target.Kind;

    /// <summary>Text, and what is written and read as text as it is.</summary>
    private static bool HoldsText(SideType type) =>
        type.BuiltIn is "text" or "varchar" or "bpchar" or "name" || type.IsEnum || (type is { Schema: not "pg_catalog", Name: "citext", Element: null });

    /// <summary>Types whose values have one text only, which is what an event carries and a query prints. Not so boolean (t, true), floats and money.</summary>
    private static bool HasOneText(SideType type) => type.BuiltIn is "int2" or "int4" or "int8" or "oid" or "numeric" or "uuid" or "date" or "timestamp" or "timestamptz"
        or "time" or "bytea" or "json" or "jsonb" or "xml" or "macaddr" or "macaddr8" or "bit" or "varbit";
}

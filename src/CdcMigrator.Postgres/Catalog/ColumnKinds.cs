using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>From a PostgreSQL type to the family that decides how its values are decoded.</summary>
internal static class ColumnKinds
{
    /// <summary>Builds the type of a column from the types known, following domains to their base and arrays to their element.</summary>
    public static ColumnType Resolve(uint oid, int modifier, IReadOnlyDictionary<uint, CatalogType> types)
    {
        var type = types[oid];
        while (type.Kind == 'd')
        {
            modifier = modifier == -1 ? type.BaseModifier : modifier;
            type = types[type.BaseOid];
        }

        // Arrays whose lower bound is 0, which events do not carry.
        if (type is { Schema: "pg_catalog", Name: "int2vector" or "oidvector" })
        {
            return new ColumnType(type.Sql, ColumnKind.Array) { BaseName = type.Name };
        }

        if (type.IsArray)
        {
            var element = Resolve(type.ElementOid, modifier, types);
            if (types[type.ElementOid].Kind == 'd')
            {
                // Connectors cannot convert arrays of domains: the element is none that anything is known of.
                return new ColumnType(type.Sql, ColumnKind.Array) { BaseName = types[type.ElementOid].Name };
            }

            return new ColumnType(type.Sql, ColumnKind.Array, -1, element) { BaseName = element.BaseName };
        }

        return new ColumnType(type.Sql, KindOf(type), ModifierOf(type.Name, modifier)) { BaseName = type.Name };
    }

    private static ColumnKind KindOf(CatalogType type) => type switch
    {
        { Kind: 'e' } or { Kind: 'r', Schema: "pg_catalog" } => ColumnKind.Text,
        { Kind: 'c' or 'm' or 'r' } => ColumnKind.Opaque,
        { Schema: "pg_catalog" } => type.Name switch
        {
            "bool" => ColumnKind.Boolean,
            "int2" or "int4" or "int8" or "oid" => ColumnKind.Integer,
            "float4" or "float8" => ColumnKind.Float,
            "numeric" => ColumnKind.Numeric,
            "money" => ColumnKind.Money,
            "bytea" => ColumnKind.Bytes,
            "bit" => ColumnKind.Bit,
            "varbit" => ColumnKind.VarBit,
            "date" => ColumnKind.Date,
            "time" => ColumnKind.Time,
            "timetz" => ColumnKind.TimeTz,
            "timestamp" => ColumnKind.Timestamp,
            "timestamptz" => ColumnKind.TimestampTz,
            "interval" => ColumnKind.Interval,
            "point" => ColumnKind.Point,
            "text" or "varchar" or "bpchar" or "char" or "name" or "uuid" or "json" or "jsonb" or "xml" or "inet" or "cidr" or "macaddr" or "macaddr8"
                or "tsvector" => ColumnKind.Text,
            _ => ColumnKind.Opaque,
        },
        _ => type.Name switch
        {
            "hstore" => ColumnKind.Hstore,
            "citext" or "ltree" or "isbn" => ColumnKind.Text,
            _ => ColumnKind.Opaque,
        },
    };

    private static int ModifierOf(string type, int modifier) => modifier < 0 ? -1 : type switch
    {
        "bit" or "varbit" or "time" or "timetz" or "timestamp" or "timestamptz" => modifier,
        "interval" when (modifier & 0xFFFF) != 0xFFFF => modifier & 0xFFFF,
        _ => -1,
    };
}

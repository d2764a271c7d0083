using System.Globalization;

namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>A key column's type in the source, from the words a catalog describes it with.</summary>
/// <param name="Family">How its text is made.</param>
/// <param name="Length">Declared length, digits of a second, or a numeric's precision; the type's own limit where none is declared, -1 where there is none.</param>
/// <param name="Scale">A numeric's declared scale; -1 where none is.</param>
internal readonly record struct KeyType(KeyFamily Family, int Length = -1, int Scale = -1)
{
    private const int FinestSecond = 6;

    /// <summary>Reads <c>numeric(12,2)</c>, <c>timestamp(3) without time zone</c>, <c>public.citext</c>, <c>enum</c>, …</summary>
    /// <param name="sql">As the source's catalog prints it.</param>
    /// <param name="mySql">The source is MariaDB or MySQL.</param>
    /// <param name="whole">It is told with its modifier. Else what a modifier would say is not known.</param>
    public static KeyType Of(string sql, bool mySql, bool whole)
    {
        var text = sql.Trim();
        var (first, second) = (-1, -1);
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var close = text.IndexOf(')', Math.Max(0, open));
        if (open > 0 && close > open)
        {
            var parts = text[(open + 1)..close].Split(',');
            first = Number(parts[0]);
            second = parts.Length > 1 ? Number(parts[1]) : 0;
            text = text[..open].TrimEnd() + text[(close + 1)..];
        }

        text = text.ToLowerInvariant();
        var type = mySql ? OfMySql(text, first, second) : OfPostgres(text, first, second);
        return type with { Length = whole || open > 0 ? type.Length : -1 };
    }

    private static KeyType OfPostgres(string name, int first, int second)
    {
        name = name.StartsWith("pg_catalog.", StringComparison.Ordinal) ? name["pg_catalog.".Length..] : name;
        switch (name)
        {
            case "smallint" or "integer" or "bigint" or "int2" or "int4" or "int8" or "oid":
                return new(KeyFamily.Integer);
            case "boolean" or "bool":
                return new(KeyFamily.Boolean);
            case "text" or "character varying" or "varchar" or "character" or "bpchar" or "name" or "\"char\"" or "char":
                return new(KeyFamily.Text);
            case "uuid" or "inet" or "cidr" or "macaddr" or "macaddr8" or "enum":
                return new(KeyFamily.Text);
            case "int4range" or "int8range" or "numrange" or "daterange" or "tsrange":
                return new(KeyFamily.Text);
            case "numeric" or "decimal":
                return new(KeyFamily.Numeric, first, first < 0 ? -1 : second);
            case "real" or "float4":
                return new(KeyFamily.Real);
            case "double precision" or "float8":
                return new(KeyFamily.Double);
            case "date":
                return new(KeyFamily.Date);
            case "time without time zone" or "time":
                return new(KeyFamily.Time, first < 0 ? FinestSecond : first);
            case "timestamp without time zone" or "timestamp":
                return new(KeyFamily.Timestamp, first < 0 ? FinestSecond : first);
            case "timestamp with time zone" or "timestamptz":
                return new(KeyFamily.TimestampTz, first < 0 ? FinestSecond : first);
            case "bytea":
                return new(KeyFamily.Bytes);
            case "bit":
                return new(KeyFamily.Bits, first < 0 ? 1 : first);
        }

        // Types of extensions are named with the schema they were put into.
        return name[(name.LastIndexOf('.') + 1)..] is "citext" or "ltree" ? new(KeyFamily.Text) : default;
    }

    private static KeyType OfMySql(string name, int first, int second)
    {
        var unsigned = name.Contains(" unsigned", StringComparison.Ordinal);
        return name.Split(' ')[0] switch
        {
            "bigint" when unsigned => new(KeyFamily.UnsignedBig),
            "tinyint" or "smallint" or "mediumint" or "int" or "integer" or "bigint" or "year" => new(KeyFamily.Integer),
            "char" or "varchar" or "tinytext" or "text" or "mediumtext" or "longtext" => new(KeyFamily.Text),
            "enum" => new(KeyFamily.Labels),
            "uuid" => new(KeyFamily.MovedUuid),
            "decimal" or "numeric" => new(KeyFamily.Numeric, first < 0 ? 10 : first, Math.Max(second, 0)),
            "double" => new(KeyFamily.Double),
            "date" => new(KeyFamily.Date),
            "datetime" => new(KeyFamily.Timestamp, Math.Max(first, 0)),
            "timestamp" => new(KeyFamily.TimestampTz, Math.Max(first, 0)),
            "binary" => new(KeyFamily.Bytes, first),
            "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob" => new(KeyFamily.Bytes),
            _ => default,
        };
    }

    private static int Number(string text) => int.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : -1;
}

using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Values;

/// <summary>
/// One column's way from MariaDB to PostgreSQL's text, as docs/types-mariadb.md maps it: the same text the decoder makes of an event, so
/// that a value read by query and one read from the log are equal. Immutable.
/// </summary>
/// <param name="column">The source column.</param>
/// <param name="target">The column it goes to.</param>
internal sealed class SourceValue(SourceColumn column, TargetColumn target)
{
    private readonly ColumnType type = target.Type;

    /// <summary>The source column.</summary>
    public SourceColumn Column => column;

    /// <summary>What to select; the driver's own reading of types that would lose something is avoided.</summary>
    public string Sql
    {
        get
        {
            var name = $"t.{MariaDbConnections.Quote(column.Name)}";
            return column.Type switch
            {
                // As a float it would be printed with six digits.
                "float" => $"cast({name} as double)",
                "double" => name,
                "bit" => $"lpad(bin({name} + 0), {column.Length.ToString(CultureInfo.InvariantCulture)}, '0')",
                "binary" or "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob" => $"hex({name})",
                _ when IsGeometry => $"concat(st_srid({name}), ':', hex(st_aswkb({name})))",
                _ when column.IsText => $"convert({name} using utf8mb4)",
                _ => $"cast({name} as char)",
            };
        }
    }

    private bool IsGeometry => column.Type is "point" or "geometry" or "linestring" or "polygon" or "multipoint" or "multilinestring" or "multipolygon"
        or "geometrycollection" or "geomcollection";

    /// <summary>Reads the value selected by <see cref="Sql"/>.</summary>
    /// <exception cref="FaultException">Poison: the target's column cannot hold it.</exception>
    public string? Read(MySqlDataReader reader, int ordinal)
    {
        if (reader.IsDBNull(ordinal))
        {
            return null;
        }

        return column.Type switch
        {
            "float" => ((float)reader.GetDouble(ordinal)).ToString("R", CultureInfo.InvariantCulture),
            "double" => reader.GetDouble(ordinal).ToString("R", CultureInfo.InvariantCulture),
            _ => Of(reader.GetString(ordinal)),
        };
    }

    /// <summary>The value of a key column as MariaDB's SQL, from the text it has in a change.</summary>
    public string Literal(string text)
    {
        switch (column.Type)
        {
            case "tinyint" or "smallint" or "mediumint" or "int" or "bigint" or "year" or "decimal" or "float" or "double":
                return type.Kind == ColumnKind.Boolean ? (text == "t" ? "1" : "0") : Number(text);
            case "bit":
                return text is "t" or "f" ? (text == "t" ? "b'1'" : "b'0'") : text.All(digit => digit is '0' or '1') ? $"b'{text}'" : throw NoKey(text);
            case "binary" or "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob":
                return $"x'{Convert.ToHexString(Convert.FromHexString(type.Kind == ColumnKind.Bytes ? text[2..] : text.Replace("-", "", StringComparison.Ordinal)))}'";
            case "date" or "datetime" or "timestamp" or "time":
                return Quoted(text.EndsWith("+00", StringComparison.Ordinal) ? text[..^3] : text);
            default:
                return Quoted(text);
        }
    }

    /// <summary>The text by which keys are compared: numbers have more than one spelling.</summary>
    public string Comparable(string text) => type.Kind is ColumnKind.Numeric && text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.')
        : type.BaseName == "uuid" ? text.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant()
        : text;

    private string? Of(string text) => column.Type switch
    {
        "bit" => type.Kind == ColumnKind.Boolean ? (text == "1" ? "t" : "f") : type.Kind == ColumnKind.Integer ? Convert.ToUInt64(text, 2).ToString(CultureInfo.InvariantCulture) : text,
        "tinyint" or "smallint" or "mediumint" or "int" or "bigint" when type.Kind == ColumnKind.Boolean => text switch
        {
            "0" => "f",
            "1" => "t",
            _ => throw Refused("boolean", $"{text} is no boolean", "Make the target's column smallint, or mend the value in the source"),
        },
        "binary" or "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob" => (type.Kind == ColumnKind.Bytes ? "\\x" : "") + text.ToLowerInvariant(),
        "date" or "datetime" or "timestamp" => Temporal(text),
        "time" => Fraction(text),
        "set" when type.Kind == ColumnKind.Array => SetArray(text),
        _ when IsGeometry => Geometry(text),
        _ => text.Contains('\0', StringComparison.Ordinal)
            ? throw Refused("nul-character", "the value holds U+0000, which PostgreSQL cannot store", "Remove the character in the source, or exclude the column")
            : text,
    };

    private string? Temporal(string text)
    {
        if (text.StartsWith("0000", StringComparison.Ordinal) || text.AsSpan(5, 2) is "00" || text.AsSpan(8, 2) is "00")
        {
            return !target.NotNull ? null : throw Refused("zero-date", "the value is a zero date, which PostgreSQL does not have",
                "Make the target's column nullable (it becomes NULL), or mend the value in the source");
        }

        return Fraction(text) + (type.Kind == ColumnKind.TimestampTz ? "+00" : "");
    }

    private static string Fraction(string text) => text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;

    private static string SetArray(string text) => text.Length == 0
        ? "{}"
        : $"{{{string.Join(',', text.Split(',').Select(member => $"\"{member.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""))}}}";

    /// <summary><c>srid:wkb</c> as point, as PostGIS's extended well-known binary, or as the bytes.</summary>
    private string Geometry(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var wkb = Convert.FromHexString(text.AsSpan(colon + 1));
        if (type.Kind == ColumnKind.Bytes)
        {
            return "\\x" + Convert.ToHexStringLower(wkb);
        }

        if (type.Kind == ColumnKind.Point)
        {
            var (x, y) = (BinaryPrimitives.ReadDoubleLittleEndian(wkb.AsSpan(5)), BinaryPrimitives.ReadDoubleLittleEndian(wkb.AsSpan(13)));
            return string.Create(CultureInfo.InvariantCulture, $"({x:R},{y:R})");
        }

        var srid = uint.Parse(text.AsSpan(0, colon), CultureInfo.InvariantCulture);
        if (srid == 0)
        {
            return Convert.ToHexStringLower(wkb);
        }

        Span<byte> head = stackalloc byte[9];
        head[0] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(head[1..], BinaryPrimitives.ReadUInt32LittleEndian(wkb.AsSpan(1)) | 0x2000_0000);
        BinaryPrimitives.WriteUInt32LittleEndian(head[5..], srid);
        return Convert.ToHexStringLower(head) + Convert.ToHexStringLower(wkb.AsSpan(5));
    }

    private string Number(string text) =>
        text.Length > 0 && text.All(character => char.IsAsciiDigit(character) || character is '-' or '+' or '.' or 'E' or 'e') ? text : throw NoKey(text);

    /// <summary>In hexadecimal: no rule of escaping can turn it into something else.</summary>
    private static string Quoted(string text) => $"_utf8mb4 x'{Convert.ToHexString(Encoding.UTF8.GetBytes(text))}'";

    private FaultException NoKey(string text) =>
        new(FaultKind.Internal, "key-text", $"A key value of column {column.Name} with {text.Length} characters is none of type {column.Declared}");

    private FaultException Refused(string code, string message, string fix) =>
        new(FaultKind.Poison, code, $"Column {column.Name} as the source has it now: {message}", fix);
}

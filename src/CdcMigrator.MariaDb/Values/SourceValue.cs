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
/// <param name="mapping">What the migration file says of it.</param>
/// <param name="table">The source table, for messages.</param>
internal sealed class SourceValue(SourceColumn column, TargetColumn target, ColumnMapping mapping, TableName table)
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
                var bytes = Convert.FromHexString(type.Kind == ColumnKind.Bytes ? text[2..] : text.Replace("-", "", StringComparison.Ordinal));
                if (type.Kind != ColumnKind.Bytes)
                {
                    mapping.FromUuidOrder(bytes);
                }

                return $"x'{Convert.ToHexString(bytes)}'";
            case "enum":
                return Quoted(mapping.SourceLabelOf(text));
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

    /// <summary>PostgreSQL's text of a value, from what <see cref="Sql"/> makes of it.</summary>
    /// <exception cref="FaultException">Poison: the target's column cannot hold it.</exception>
    public string? Of(string text) => column.Type switch
    {
        "bit" => type.Kind == ColumnKind.Boolean ? (text == "1" ? "t" : "f") : type.Kind == ColumnKind.Integer ? Convert.ToUInt64(text, 2).ToString(CultureInfo.InvariantCulture) : text,
        "tinyint" or "smallint" or "mediumint" or "int" or "bigint" when type.Kind == ColumnKind.Boolean => text switch
        {
            "0" => "f",
            "1" => "t",
            _ => mapping.NonZeroIsTrue ? "t" : throw Refused("not-boolean", $"{text} is no boolean", "nonBoolean: true"),
        },
        "binary" or "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob" => type.Kind == ColumnKind.Bytes ? $"\\x{text.ToLowerInvariant()}" : Uuid(text),
        "date" or "datetime" or "timestamp" => Temporal(text),
        "time" => Fraction(text),
        "set" when type.Kind == ColumnKind.Array => SetArray(text),
        "set" => mapping.Labels.Count == 0 ? text : string.Join(',', text.Split(',').Select(mapping.LabelOf)),
        "enum" => mapping.LabelOf(text),
        _ when IsGeometry => Geometry(text),
        _ => Text(text),
    };

    private string Text(string text)
    {
        text = mapping.WithoutNul(text, json: type.BaseName is "json" or "jsonb");
        return text.Contains('\0', StringComparison.Ordinal)
            ? throw Refused("nul-character", "the value holds U+0000, which PostgreSQL cannot store", "nulCharacter: strip")
            : text;
    }

    private string Uuid(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        if (bytes.Length != 16)
        {
            throw new FaultException(FaultKind.Poison, "bad-value", $"Column {column.Name} as the source has it now: {bytes.Length} bytes are no uuid", "Make the target's column bytea, or mend the value in the source");
        }

        mapping.ToUuidOrder(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private string? Temporal(string text)
    {
        // A column whose type was changed since its table was looked at would be cut to its day without a word.
        if (type.Kind == ColumnKind.Date && text.Length != 10)
        {
            throw new FaultException(FaultKind.Poison, "type-unfit", $"Column {column.Name} of {table} holds times of day and goes to a date", "Make the target's column timestamp");
        }

        if (text.StartsWith("0000-00-00", StringComparison.Ordinal))
        {
            return Dateless(text, mapping.ZeroDate, "zeroDate", "the value is a zero date");
        }

        if (text.StartsWith("0000", StringComparison.Ordinal) || text.AsSpan(5, 2) is "00" || text.AsSpan(8, 2) is "00")
        {
            return Dateless(text, mapping.PartialDate, "partialDate", "the value is a date without year, month or day");
        }

        return Fraction(text) + Zone;
    }

    private string Zone => type.Kind == ColumnKind.TimestampTz ? "+00" : "";

    /// <summary>What the migration file makes of a date that PostgreSQL does not have.</summary>
    private string? Dateless(string text, DateRule rule, string setting, string what)
    {
        var (action, day) = rule;
        if (action == DateAction.ByTarget)
        {
            action = target.NotNull ? DateAction.Refuse : DateAction.Null;
        }

        return action switch
        {
            DateAction.Null => null,
            DateAction.Replace when day == "-infinity" => day,
            DateAction.Replace => day + (type.Kind == ColumnKind.Date ? "" : " 00:00:00" + Zone),
            DateAction.First when !text.StartsWith("0000", StringComparison.Ordinal) =>
                $"{text.AsSpan(0, 5)}{(text.AsSpan(5, 2) is "00" ? "01" : text.AsSpan(5, 2))}-{(text.AsSpan(8, 2) is "00" ? "01" : text.AsSpan(8, 2))}{Fraction(text[10..])}{Zone}",
            _ => throw Refused("zero-date", $"{what}, which PostgreSQL does not have", setting == "zeroDate" ? "zeroDate: null | epoch | -infinity | a date" : "partialDate: null | first | epoch | -infinity | a date"),
        };
    }

    private static string Fraction(string text) => text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;

    private string SetArray(string text) => text.Length == 0
        ? "{}"
        : $"{{{string.Join(',', text.Split(',').Select(mapping.LabelOf).Select(member => $"\"{member.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""))}}}";

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

    private FaultException Refused(string code, string message, string setting) =>
        new(FaultKind.Poison, code, $"Column {column.Name} as the source has it now: {message}", ColumnMapping.Fix(table, column.Name, setting));
}

using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Values;
using CdcMigrator.Postgres.Comparing;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>One compared column of a MariaDB table, read as the text its target column would have.</summary>
/// <param name="value">The column's way to PostgreSQL.</param>
/// <param name="into">The type it goes to.</param>
/// <param name="mapping">What the migration file says of it.</param>
internal sealed class ComparedValue(SourceValue value, ColumnType into, ColumnMapping mapping)
{
    private const int BytesOfUuid = 16;
    private const int MostOnStack = 512;
    private readonly Reading reading = ReadingOf(value.Column.Type, value.Column.IsText, into);

    /// <summary>How a value is read as bytes.</summary>
    private enum Reading
    {
        /// <summary>As a string, as it is read by key.</summary>
        Text,

        /// <summary>The server's text, which is the target's, but for what <see cref="Append"/> looks for.</summary>
        Plain,

        /// <summary>0 and 1 are booleans.</summary>
        Boolean,

        /// <summary>A day, with or without a time of day.</summary>
        Temporal,

        /// <summary>A double.</summary>
        Double,

        /// <summary>Bytes.</summary>
        Bytes,
    }

    /// <summary>Name in the source as SQL, of a table called <c>t</c>.</summary>
    public string Name => $"t.{Connections.MariaDbConnections.Quote(value.Column.Name)}";

    /// <summary>What to select.</summary>
    public string Sql => value.Sql;

    /// <summary>How a sample looks at it.</summary>
    public SampledValue Sampled => new(value.Column);

    /// <summary>What to select for <see cref="Append"/>.</summary>
    public string BytesSql => reading switch
    {
        Reading.Text => value.Sql,
        Reading.Double or Reading.Bytes => Name,
        _ when value.Column.IsText => $"cast(convert({Name} using utf8mb4) as binary)",
        _ => $"cast({Name} as binary)",
    };

    /// <summary>A key's text as SQL of the column's type.</summary>
    public string Literal(string text) => value.Literal(text);

    /// <summary>The text; of a value the target cannot hold one no value has there, for the row cannot be there either.</summary>
    public string? Read(MySqlDataReader reader, int ordinal)
    {
        try
        {
            return value.Read(reader, ordinal);
        }
        catch (FaultException exception) when (exception.Fault.Kind == FaultKind.Poison)
        {
            return Refused(exception.Fault);
        }
    }

    /// <summary>Adds the value selected by <see cref="BytesSql"/>: what <see cref="Read"/> makes of it, mostly without a string.</summary>
    /// <param name="reader">The row.</param>
    /// <param name="ordinal">The column in it.</param>
    /// <param name="row">What it is added to.</param>
    /// <param name="bytes">Room for a value; grows.</param>
    public void Append(MySqlDataReader reader, int ordinal, RowBytes row, ref byte[] bytes)
    {
        if (reader.IsDBNull(ordinal))
        {
            row.AddNull();
            return;
        }

        switch (reading)
        {
            case Reading.Text:
                AddText(row, Read(reader, ordinal));
                return;
            case Reading.Double:
                Span<byte> number = stackalloc byte[32];
                reader.GetDouble(ordinal).TryFormat(number, out var written, "R", CultureInfo.InvariantCulture);
                row.Add(number[..written]);
                return;
        }

        var length = (int)reader.GetBytes(ordinal, 0, null, 0, 0);
        if (bytes.Length < length)
        {
            bytes = new byte[Math.Max(length, bytes.Length * 2)];
        }

        reader.GetBytes(ordinal, 0, bytes, 0, length);
        ReadOnlySpan<byte> text = bytes.AsSpan(0, length);
        switch (reading)
        {
            case Reading.Bytes:
                AddBytes(row, text);
                return;
            case Reading.Plain when text.IndexOf((byte)0) < 0:
                row.Add(text);
                return;
            case Reading.Boolean when text is [(byte)'0'] or [(byte)'1']:
                row.Add(text[0] == '0' ? "f"u8 : "t"u8);
                return;
            case Reading.Temporal when IsWholeDate(text):
                AddTemporal(row, text);
                return;
            default:
                AddText(row, Of(Encoding.UTF8.GetString(text)));
                return;
        }
    }

    private static ReadOnlySpan<byte> HexDigits => "0123456789abcdef"u8;

    private static Reading ReadingOf(string type, bool isText, ColumnType into) => type switch
    {
        "tinyint" or "smallint" or "mediumint" or "int" or "bigint" when into.Kind == ColumnKind.Boolean => Reading.Boolean,
        "tinyint" or "smallint" or "mediumint" or "int" or "bigint" or "decimal" or "year" => Reading.Plain,
        "date" or "datetime" or "timestamp" => Reading.Temporal,
        "double" => Reading.Double,
        "binary" or "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob" => Reading.Bytes,
        "char" or "varchar" or "tinytext" or "text" or "mediumtext" or "longtext" when isText && into.Kind == ColumnKind.Text => Reading.Plain,
        _ => Reading.Text,
    };

    private static void AddText(RowBytes row, string? text)
    {
        if (text is null)
        {
            row.AddNull();
        }
        else
        {
            row.Add(Encoding.UTF8.GetBytes(text));
        }
    }

    private void AddBytes(RowBytes row, ReadOnlySpan<byte> bytes)
    {
        if (into.Kind != ColumnKind.Bytes && bytes.Length != BytesOfUuid)
        {
            AddText(row, Of(Convert.ToHexString(bytes)));
            return;
        }

        Span<byte> ordered = bytes.Length <= MostOnStack ? stackalloc byte[bytes.Length] : new byte[bytes.Length];
        bytes.CopyTo(ordered);
        var prefix = into.Kind == ColumnKind.Bytes ? 2 : 0;
        Span<byte> text = bytes.Length <= MostOnStack ? stackalloc byte[prefix + (2 * bytes.Length)] : new byte[prefix + (2 * bytes.Length)];
        if (prefix > 0)
        {
            "\\x"u8.CopyTo(text);
        }
        else
        {
            mapping.ToUuidOrder(ordered);
        }

        for (var i = 0; i < ordered.Length; i++)
        {
            text[prefix + (2 * i)] = HexDigits[ordered[i] >> 4];
            text[prefix + (2 * i) + 1] = HexDigits[ordered[i] & 15];
        }

        row.Add(text);
    }

    /// <summary>Whether a day is one of the calendar; what becomes of others the migration file says. A time of day that a date cannot take is refused there.</summary>
    private bool IsWholeDate(ReadOnlySpan<byte> text) =>
        text.Length >= 10 && (into.Kind != ColumnKind.Date || text.Length == 10) && !text.StartsWith("0000"u8) && !text[5..7].SequenceEqual("00"u8) && !text[8..10].SequenceEqual("00"u8);

    private void AddTemporal(RowBytes row, ReadOnlySpan<byte> text)
    {
        text = text.Contains((byte)'.') ? text.TrimEnd((byte)'0').TrimEnd((byte)'.') : text;
        if (into.Kind != ColumnKind.TimestampTz)
        {
            row.Add(text);
            return;
        }

        Span<byte> zoned = stackalloc byte[text.Length + 3];
        text.CopyTo(zoned);
        "+00"u8.CopyTo(zoned[text.Length..]);
        row.Add(zoned);
    }

    private string? Of(string text)
    {
        try
        {
            return value.Of(text);
        }
        catch (FaultException exception) when (exception.Fault.Kind == FaultKind.Poison)
        {
            return Refused(exception.Fault);
        }
    }

    private static string Refused(Fault fault) => $"\0{fault.Code}";
}

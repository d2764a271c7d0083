using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>Turns a key's values into the text PostgreSQL prints of the source's column, in the form the column is compared in. Null wherever that is not certain.</summary>
internal static class KeyTexts
{
    private const int MillisDigits = 3;
    private const int UuidDigits = 32;

    /// <summary>The text of one value.</summary>
    /// <param name="column">The column.</param>
    /// <param name="meaning">What the field's value is.</param>
    /// <param name="value">The value.</param>
    /// <param name="isRead">A snapshot read the row.</param>
    /// <param name="settings">The connector's settings.</param>
    public static string? Of(KeyColumn column, FieldMeaning meaning, in KeyValue value, bool isRead, ReadingSettings settings) =>
        Of(column.Type, meaning, value, isRead, settings) is not { } text ? null : column.Form switch
        {
            CanonicalForm.Text => text,
            CanonicalForm.TrimmedNumber => text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text,
            CanonicalForm.Unpadded => text.TrimEnd(' '),
            CanonicalForm.Hex => OfUuid(text),
            _ => null,
        };

    /// <summary>A uuid, spelled as one or as its bytes.</summary>
    private static string? OfUuid(string text)
    {
        var digits = text.StartsWith(@"\x", StringComparison.Ordinal) ? text[2..] : text.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
        return digits.Length == UuidDigits ? digits : null;
    }

    private static string? Of(KeyType type, FieldMeaning meaning, in KeyValue value, bool isRead, ReadingSettings settings)
    {
        if (meaning.Kind == MeaningKind.OutputText)
        {
            return Text(value);
        }

        return type.Family switch
        {
            KeyFamily.Unknown => meaning.Kind == MeaningKind.Enum ? Text(value) : null,
            KeyFamily.Integer => meaning.Kind == MeaningKind.Plain ? Whole(value) : null,
            KeyFamily.UnsignedBig => Unsigned(meaning, value, settings),
            KeyFamily.Boolean => value.Kind != KeyValueKind.Boolean ? null : value.Integer != 0 ? "t" : "f",
            KeyFamily.Text => meaning.Kind is MeaningKind.Plain or MeaningKind.Enum or MeaningKind.NamedText ? Text(value) : null,
            KeyFamily.Labels => Text(value) is { } label && !label.AsSpan().ContainsAny(',', '\\') ? label : null,
            KeyFamily.MovedUuid => Text(value) is { } uuid && (isRead || !uuid.StartsWith("00", StringComparison.Ordinal)) ? uuid : null,
            KeyFamily.Numeric => Numeric(type, meaning, value),
            KeyFamily.Real => TrySingle(value, out var real) ? NumberText.OfFloat(real) : null,
            KeyFamily.Double => TryReal(value, out var number) ? NumberText.OfDouble(number) : null,
            KeyFamily.Bytes => Whole(type, value.Kind == KeyValueKind.Bytes ? Hex(value.Bytes) : value.Kind == KeyValueKind.Text ? Binary(value.Bytes, settings.Binary) : null),
            KeyFamily.Bits => Bits(type, meaning, value),
            _ => Calendar(type, meaning, value, isRead, settings.IsMySqlFamily),
        };
    }

    private static string? Text(in KeyValue value) => value.Kind == KeyValueKind.Text ? Encoding.UTF8.GetString(value.Bytes) : null;

    private static string? Whole(in KeyValue value) => value.Kind switch
    {
        KeyValueKind.Integer => value.Integer.ToString(CultureInfo.InvariantCulture),
        KeyValueKind.Digits when Utf8Parser.TryParse(value.Bytes, out long number, out var read) && read == value.Bytes.Length => number.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    private static string? Unsigned(FieldMeaning meaning, in KeyValue value, ReadingSettings settings)
    {
        if (meaning.Kind == MeaningKind.Decimal)
        {
            return Unscaled(value, 0);
        }

        return meaning.Kind == MeaningKind.Plain && settings.UnsignedWraps && TryWhole(value, out var number)
            ? unchecked((ulong)number).ToString(CultureInfo.InvariantCulture)
            : null;
    }

    private static bool TryWhole(in KeyValue value, out long number)
    {
        number = value.Integer;
        return value.Kind == KeyValueKind.Integer
            || (value.Kind == KeyValueKind.Digits && Utf8Parser.TryParse(value.Bytes, out number, out var read) && read == value.Bytes.Length);
    }

    /// <summary>Digits are read as a float at once: by way of a double they could be rounded twice.</summary>
    private static bool TrySingle(in KeyValue value, out float number)
    {
        number = (float)value.Real;
        return value.Kind == KeyValueKind.Float
            || (value.Kind is KeyValueKind.Digits or KeyValueKind.Text && float.TryParse(value.Bytes, NumberStyles.Float, CultureInfo.InvariantCulture, out number));
    }

    private static bool TryReal(in KeyValue value, out double number)
    {
        number = value.Real;
        switch (value.Kind)
        {
            case KeyValueKind.Float or KeyValueKind.Double:
                return true;
            case KeyValueKind.Digits or KeyValueKind.Text:
                return double.TryParse(value.Bytes, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
            default:
                return false;
        }
    }

    private static string? Numeric(KeyType type, FieldMeaning meaning, in KeyValue value)
    {
        if (meaning.Kind == MeaningKind.Decimal)
        {
            return type.Scale >= 0 && type.Scale != meaning.Scale ? null : Unscaled(value, meaning.Scale);
        }

        return meaning.Kind != MeaningKind.Plain ? null
            : value.Kind == KeyValueKind.Text ? NumberText.OfDecimal(value.Bytes)
            : value.Kind is KeyValueKind.Digits or KeyValueKind.Double && TryReal(value, out var number) ? NumberText.OfDouble(number, type.Length, type.Scale)
            : null;
    }

    private static string? Unscaled(in KeyValue value, int scale) => value.Kind switch
    {
        KeyValueKind.Bytes => NumberText.OfUnscaled(value.Bytes, scale),
        KeyValueKind.Text when FromBase64(value.Bytes) is { } bytes => NumberText.OfUnscaled(bytes, scale),
        _ => null,
    };

    private static string? Binary(ReadOnlySpan<byte> text, BinaryEncoding encoding)
    {
        switch (encoding)
        {
            case BinaryEncoding.Bytes or BinaryEncoding.Base64:
                return FromBase64(text) is { } bytes ? Hex(bytes) : null;
            case BinaryEncoding.Base64Url:
                return Base64Url.IsValid(text) ? Hex(Base64Url.DecodeFromUtf8(text)) : null;
            case BinaryEncoding.Hex:
                return text.Length % 2 == 0 && !text.ContainsAnyExcept(HexDigits) ? @"\x" + Encoding.ASCII.GetString(text).ToLowerInvariant() : null;
            default:
                return null;
        }
    }

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    /// <summary>Bytes of a declared length: MariaDB's binlog leaves zeros at their end out.</summary>
    private static string? Whole(KeyType type, string? hex) =>
        type.Length < 0 || hex is null ? hex : hex.Length > 2 + (2 * type.Length) ? null : hex.PadRight(2 + (2 * type.Length), '0');

    private static string Hex(ReadOnlySpan<byte> bytes) => @"\x" + Convert.ToHexStringLower(bytes);

    private static byte[]? FromBase64(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text, bytes, out _, out var written) == OperationStatus.Done ? bytes[..written] : null;
    }

    /// <summary>Bytes of bits, the lowest first and zeros at the end left out: without the declared length they are not told.</summary>
    private static string? Bits(KeyType type, FieldMeaning meaning, in KeyValue value)
    {
        if (type.Length == 1 && value.Kind == KeyValueKind.Boolean)
        {
            return value.Integer != 0 ? "1" : "0";
        }

        if (type.Length < 1 || meaning.Kind != MeaningKind.Bits)
        {
            return null;
        }

        var bytes = value.Kind == KeyValueKind.Text ? FromBase64(value.Bytes).AsSpan() : value.Bytes;
        if (value.Kind is not (KeyValueKind.Bytes or KeyValueKind.Text) || (value.Kind == KeyValueKind.Text && bytes.IsEmpty && !value.Bytes.IsEmpty))
        {
            return null;
        }

        var text = new string('0', type.Length).ToCharArray();
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            if ((bytes[bit / 8] >> (bit % 8) & 1) == 0)
            {
                continue;
            }

            if (bit >= text.Length)
            {
                return null;
            }

            text[^(bit + 1)] = '1';
        }

        return new string(text);
    }

    private static string? Calendar(KeyType type, FieldMeaning meaning, in KeyValue value, bool isRead, bool mySql)
    {
        var text = value.Kind == KeyValueKind.Text;
        var number = 0L;
        if (!text && !TryWhole(value, out number))
        {
            return null;
        }

        var made = (type.Family, meaning.Kind) switch
        {
            (KeyFamily.Date, MeaningKind.Days) when !text => CalendarText.OfDays(number, isRead),
            (KeyFamily.Date, MeaningKind.IsoDate) when text => CalendarText.OfIso(value.Bytes, meaning.Kind, isRead),
            (KeyFamily.Time, MeaningKind.TimeMillis) when !text && type.Length is >= 0 and <= MillisDigits => CalendarText.OfTime(checked(number * 1000)),
            (KeyFamily.Time, MeaningKind.TimeMicros) when !text => CalendarText.OfTime(number),
            (KeyFamily.Time, MeaningKind.TimeNanos) when !text && number % 1000 == 0 => CalendarText.OfTime(number / 1000),
            (KeyFamily.Time, MeaningKind.IsoTime) when text => CalendarText.OfIso(value.Bytes, meaning.Kind, isRead),
            (KeyFamily.Timestamp, MeaningKind.StampMillis) when !text && type.Length is >= 0 and <= MillisDigits => CalendarText.OfStampMillis(number, isRead),
            (KeyFamily.Timestamp, MeaningKind.StampMicros) when !text => CalendarText.OfStamp(number, isRead),
            (KeyFamily.Timestamp, MeaningKind.StampNanos) when !text && number % 1000 == 0 => CalendarText.OfStampNanos(number / 1000, isRead),
            (KeyFamily.Timestamp, MeaningKind.IsoStamp) when text => CalendarText.OfIso(value.Bytes, meaning.Kind, isRead),
            (KeyFamily.TimestampTz, MeaningKind.IsoZoned) when text => CalendarText.OfIso(value.Bytes, meaning.Kind, isRead),
            _ => null,
        };

        // MariaDB's zero dates come as this one.
        return mySql && made is not null && made.StartsWith("1970-01-01", StringComparison.Ordinal) && !made.AsSpan(10).ContainsAnyInRange('1', '9') ? null : made;
    }
}

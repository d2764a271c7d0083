using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>The text PostgreSQL prints of a value, made here of the value's binary form: what the server would spend on it is the dearer part of reading rows. Pure.</summary>
internal static class BinaryText
{
    /// <summary>Most bytes of a text but a numeric's.</summary>
    public const int MostBytes = 64;

    private const long MicrosOfDay = 86_400_000_000;

    /// <summary>Days from 0000-03-01 to PostgreSQL's zero, 2000-01-01.</summary>
    private const long DaysToZero = 730_425;

    /// <summary>Writes a <c>bigint</c>.</summary>
    public static int OfInteger(ReadOnlySpan<byte> value, Span<byte> text)
    {
        Utf8Formatter.TryFormat(BinaryPrimitives.ReadInt64BigEndian(value), text, out var written);
        return written;
    }

    /// <summary>Writes a <c>double precision</c> as the shortest digits that tell it, as .NET spells them.</summary>
    public static int OfDouble(ReadOnlySpan<byte> value, Span<byte> text)
    {
        BinaryPrimitives.ReadDoubleBigEndian(value).TryFormat(text, out var written, "R", CultureInfo.InvariantCulture);
        return written;
    }

    /// <summary>Writes a <c>uuid</c>.</summary>
    public static int OfUuid(ReadOnlySpan<byte> value, Span<byte> text)
    {
        new Guid(value, bigEndian: true).TryFormat(text, out var written);
        return written;
    }

    /// <summary>Writes a <c>date</c>.</summary>
    public static int OfDate(ReadOnlySpan<byte> value, Span<byte> text)
    {
        var days = BinaryPrimitives.ReadInt32BigEndian(value);
        return days is int.MaxValue or int.MinValue ? Infinity(days > 0, text) : Day(days, default, text);
    }

    /// <summary>Writes a <c>timestamp</c>, or a <c>timestamptz</c> in UTC.</summary>
    public static int OfTimestamp(ReadOnlySpan<byte> value, bool zoned, Span<byte> text)
    {
        var micros = BinaryPrimitives.ReadInt64BigEndian(value);
        if (micros is long.MaxValue or long.MinValue)
        {
            return Infinity(micros > 0, text);
        }

        var days = Math.DivRem(micros, MicrosOfDay, out var time);
        if (time < 0)
        {
            (days, time) = (days - 1, time + MicrosOfDay);
        }

        Span<byte> clock = stackalloc byte[32];
        clock[0] = (byte)' ';
        var length = 1 + Digits((time / 3_600_000_000) % 24, 2, clock[1..]);
        clock[length++] = (byte)':';
        length += Digits((time / 60_000_000) % 60, 2, clock[length..]);
        clock[length++] = (byte)':';
        length += Digits((time / 1_000_000) % 60, 2, clock[length..]);
        if (time % 1_000_000 is not 0 and var fraction)
        {
            clock[length++] = (byte)'.';
            length += Digits(fraction, 6, clock[length..]);
            length = clock[..length].TrimEnd((byte)'0').Length;
        }

        if (zoned)
        {
            "+00"u8.CopyTo(clock[length..]);
            length += 3;
        }

        return Day(days, clock[..length], text);
    }

    /// <summary>Writes a <c>numeric</c>; <paramref name="text"/> must have room for <see cref="SizeOfNumeric"/>.</summary>
    public static int OfNumeric(ReadOnlySpan<byte> value, Span<byte> text)
    {
        var (groups, weight, sign, scale) = (Word(value, 0), (short)Word(value, 1), Word(value, 2), Word(value, 3));
        if (sign is 0xC000 or 0xD000 or 0xF000)
        {
            var name = sign == 0xC000 ? "NaN"u8 : sign == 0xD000 ? "Infinity"u8 : "-Infinity"u8;
            name.CopyTo(text);
            return name.Length;
        }

        var length = 0;
        if (sign == 0x4000)
        {
            text[length++] = (byte)'-';
        }

        if (weight < 0)
        {
            text[length++] = (byte)'0';
        }

        for (var group = 0; group <= weight; group++)
        {
            length += group == 0 ? Digits(Group(value, groups, group), 1, text[length..]) : Digits(Group(value, groups, group), 4, text[length..]);
        }

        if (scale == 0)
        {
            return length;
        }

        text[length++] = (byte)'.';
        var end = length + scale;
        for (var group = weight + 1; length < end; group++)
        {
            length += Digits(Group(value, groups, group), 4, text[length..]);
        }

        return end;
    }

    /// <summary>Bytes that suffice for a numeric's text.</summary>
    public static int SizeOfNumeric(ReadOnlySpan<byte> value) => 16 + (4 * Math.Max(0, (short)Word(value, 1) + 1)) + Word(value, 3) + 4;

    private static ushort Word(ReadOnlySpan<byte> value, int index) => BinaryPrimitives.ReadUInt16BigEndian(value[(index * 2)..]);

    private static int Group(ReadOnlySpan<byte> value, int groups, int group) => group >= 0 && group < groups ? Word(value, 4 + group) : 0;

    private static int Infinity(bool positive, Span<byte> text)
    {
        var name = positive ? "infinity"u8 : "-infinity"u8;
        name.CopyTo(text);
        return name.Length;
    }

    /// <summary>A day of the proleptic Gregorian calendar, what follows it, and whether it is before Christ.</summary>
    private static int Day(long days, ReadOnlySpan<byte> clock, Span<byte> text)
    {
        // Years begin in March, so that the day that may be missing is the last; four hundred of them are an era.
        var shifted = days + DaysToZero;
        var era = Math.DivRem(shifted, 146_097, out var ofEra);
        if (ofEra < 0)
        {
            (era, ofEra) = (era - 1, ofEra + 146_097);
        }

        var yearOfEra = (ofEra - (ofEra / 1460) + (ofEra / 36_524) - (ofEra / 146_096)) / 365;
        var ofYear = ofEra - ((365 * yearOfEra) + (yearOfEra / 4) - (yearOfEra / 100));
        var march = ((5 * ofYear) + 2) / 153;
        var month = march < 10 ? march + 3 : march - 9;
        var year = yearOfEra + (era * 400) + (month <= 2 ? 1 : 0);
        var length = Digits(year > 0 ? year : 1 - year, 4, text);
        text[length++] = (byte)'-';
        length += Digits(month, 2, text[length..]);
        text[length++] = (byte)'-';
        length += Digits(ofYear - (((153 * march) + 2) / 5) + 1, 2, text[length..]);
        clock.CopyTo(text[length..]);
        length += clock.Length;
        if (year <= 0)
        {
            " BC"u8.CopyTo(text[length..]);
            length += 3;
        }

        return length;
    }

    /// <summary>A number with at least so many digits.</summary>
    private static int Digits(long number, byte least, Span<byte> text)
    {
        Utf8Formatter.TryFormat(number, text, out var written, new System.Buffers.StandardFormat('D', least));
        return written;
    }
}

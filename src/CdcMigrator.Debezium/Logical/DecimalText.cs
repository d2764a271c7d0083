using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;

namespace CdcMigrator.Debezium.Logical;

/// <summary>Writes an unscaled big-endian two's complement integer and a scale as a decimal number.</summary>
internal static class DecimalText
{
    /// <summary>Largest scale PostgreSQL's numeric knows, and more than a connector can send.</summary>
    private const int MostScale = 16383;

    public static void Write(ReadOnlySpan<byte> unscaled, int scale, ValueWriter writer)
    {
        if (unscaled.Length == 0 || Math.Abs(scale) > MostScale)
        {
            throw new FormatException($"a decimal of {unscaled.Length} bytes and scale {scale}");
        }

        Span<byte> small = stackalloc byte[24];
        if (unscaled.Length <= 8)
        {
            Span<byte> wide = stackalloc byte[8];
            wide.Fill(unscaled[0] >= 0x80 ? (byte)0xFF : (byte)0);
            unscaled.CopyTo(wide[(8 - unscaled.Length)..]);
            Utf8Formatter.TryFormat(BinaryPrimitives.ReadInt64BigEndian(wide), small, out var written);
            Place(small[..written], scale, writer);
            return;
        }

        var text = new BigInteger(unscaled, isUnsigned: false, isBigEndian: true).ToString(CultureInfo.InvariantCulture);
        Place(System.Text.Encoding.ASCII.GetBytes(text), scale, writer);
    }

    /// <summary>Puts the point into the digits.</summary>
    private static void Place(ReadOnlySpan<byte> integer, int scale, ValueWriter writer)
    {
        var negative = integer[0] == (byte)'-';
        var digits = negative ? integer[1..] : integer;
        if (negative)
        {
            writer.Write('-');
        }

        var whole = digits.Length - scale;
        if (scale <= 0)
        {
            writer.Write(digits);
            Zeros(digits is [(byte)'0'] ? 0 : -scale, writer);
            return;
        }

        if (whole > 0)
        {
            writer.Write(digits[..whole]);
        }
        else
        {
            writer.Write('0');
        }

        writer.Write('.');
        Zeros(Math.Max(0, -whole), writer);
        writer.Write(digits[Math.Max(0, whole)..]);
    }

    private static void Zeros(int count, ValueWriter writer)
    {
        if (count > 0)
        {
            writer.Output.GetSpan(count)[..count].Fill((byte)'0');
            writer.Output.Advance(count);
        }
    }
}

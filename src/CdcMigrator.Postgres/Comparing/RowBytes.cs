using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// A row as the bytes that are hashed, made of its values' UTF-8 without a string for each: the very bytes <see cref="RowHasher"/> makes of strings. Values are added in the
/// order of the table's columns. Not thread-safe.
/// </summary>
/// <param name="table">The table, hashed here on both sides.</param>
public sealed class RowBytes(ComparedTable table)
{
    private static readonly SearchValues<byte> OfNumbers = SearchValues.Create("0123456789."u8);
    private static readonly SearchValues<byte> OfFloats = SearchValues.Create("0123456789.-"u8);
    private readonly (int Start, int Length)[] places = new (int, int)[table.Columns.Count];
    private byte[] buffer = new byte[4096];
    private byte[] keyBuffer = new byte[256];
    private int used;
    private int columns;

    /// <summary>Hash of the row.</summary>
    public long Hash => unchecked((long)XxHash3.HashToUInt64(buffer.AsSpan(0, used), RowHasher.RowSeed));

    /// <summary>Begins a row.</summary>
    public void Begin() => (used, columns) = (0, 0);

    /// <summary>Adds NULL.</summary>
    public void AddNull()
    {
        BinaryPrimitives.WriteInt32LittleEndian(Room(sizeof(int)), -1);
        places[columns++] = (used, sizeof(int));
        used += sizeof(int);
    }

    /// <summary>Adds a value's text, and brings it into its column's form.</summary>
    public void Add(ReadOnlySpan<byte> text)
    {
        switch (table.Columns[columns].Form)
        {
            case CanonicalForm.Text:
                AddFormed(text);
                break;
            case CanonicalForm.TrimmedNumber when IsTrimmed(text):
            case CanonicalForm.Double when !text.ContainsAnyExcept(OfFloats):
                AddFormed(text);
                break;
            case CanonicalForm.Unpadded:
                AddFormed(text.TrimEnd((byte)' '));
                break;
            case CanonicalForm.Hex:
                AddHex(text);
                break;
            default:
                AddFormed(Encoding.UTF8.GetBytes(CanonicalText.Of(table.Columns[columns].Form, Encoding.UTF8.GetString(text))));
                break;
        }
    }

    /// <summary>Number of the bucket the row falls into, by its key.</summary>
    public int BucketOf(int buckets)
    {
        if (table.IsKeyless)
        {
            return Bucket(buffer.AsSpan(0, used), buckets);
        }

        var length = 0;
        foreach (var ordinal in table.Key)
        {
            var (start, size) = places[ordinal];
            if (keyBuffer.Length < length + size)
            {
                Array.Resize(ref keyBuffer, Math.Max(keyBuffer.Length * 2, length + size));
            }

            buffer.AsSpan(start, size).CopyTo(keyBuffer.AsSpan(length));
            length += size;
        }

        return Bucket(keyBuffer.AsSpan(0, length), buckets);
    }

    private static int Bucket(ReadOnlySpan<byte> key, int buckets) => (int)(XxHash3.HashToUInt64(key, RowHasher.KeySeed) & (ulong)(buckets - 1));

    private void AddFormed(ReadOnlySpan<byte> text)
    {
        var room = Room(sizeof(int) + text.Length);
        BinaryPrimitives.WriteInt32LittleEndian(room, text.Length);
        text.CopyTo(room[sizeof(int)..]);
        places[columns++] = (used, sizeof(int) + text.Length);
        used += sizeof(int) + text.Length;
    }

    private void AddHex(ReadOnlySpan<byte> text)
    {
        var room = Room(sizeof(int) + text.Length);
        var length = 0;
        foreach (var digit in text)
        {
            if (digit != '-')
            {
                room[sizeof(int) + length++] = digit is >= (byte)'A' and <= (byte)'Z' ? (byte)(digit | 0x20) : digit;
            }
        }

        BinaryPrimitives.WriteInt32LittleEndian(room, length);
        places[columns++] = (used, sizeof(int) + length);
        used += sizeof(int) + length;
    }

    /// <summary>Whether a number is spelled without a zero too many; one that is not plain is looked at as text.</summary>
    private static bool IsTrimmed(ReadOnlySpan<byte> text)
    {
        var digits = text is [(byte)'-', ..] ? text[1..] : text;
        if (digits.IsEmpty || digits.ContainsAnyExcept(OfNumbers))
        {
            return false;
        }

        var point = digits.IndexOf((byte)'.');
        return (digits[0] != '0' || point == 1 || (digits.Length == 1 && text.Length == 1)) && (point < 0 || (point > 0 && digits[^1] is not ((byte)'0' or (byte)'.')));
    }

    private Span<byte> Room(int size)
    {
        if (buffer.Length - used < size)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, used + size));
        }

        return buffer.AsSpan(used);
    }
}

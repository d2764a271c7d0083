using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// Hashes rows here, from the text of their columns: each with its length in front, -1 for NULL, so that no two rows are the same bytes. Not thread-safe.
/// </summary>
/// <param name="table">The table, hashed here on both sides.</param>
public sealed class RowHasher(ComparedTable table)
{
    internal const int RowSeed = 7;
    internal const int KeySeed = 11;
    private byte[] buffer = new byte[4096];
    private int used;

    /// <summary>Hash of a row's texts, in the order of the table's columns.</summary>
    public long Hash(ReadOnlySpan<string?> row)
    {
        used = 0;
        foreach (var value in row)
        {
            Append(value);
        }

        return unchecked((long)XxHash3.HashToUInt64(buffer.AsSpan(0, used), RowSeed));
    }

    /// <summary>The row's key; without one its hash as text.</summary>
    public RowKey KeyOf(ReadOnlySpan<string?> row)
    {
        if (table.IsKeyless)
        {
            return KeyOf(Hash(row));
        }

        var values = new string[table.Key.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = row[table.Key[i]] ?? throw new InvalidOperationException($"a key column of {table.Source} is NULL");
        }

        return new RowKey(values);
    }

    /// <summary>What stands for the key of a row without one.</summary>
    public static RowKey KeyOf(long hash) => new(hash.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Number of the bucket the row falls into.</summary>
    public int BucketOf(ReadOnlySpan<string?> row, int buckets)
    {
        used = 0;
        if (table.IsKeyless)
        {
            foreach (var value in row)
            {
                Append(value);
            }
        }

        foreach (var ordinal in table.Key)
        {
            Append(row[ordinal]);
        }

        return (int)(XxHash3.HashToUInt64(buffer.AsSpan(0, used), KeySeed) & (ulong)(buckets - 1));
    }

    private void Append(string? value)
    {
        var most = 4 + (value is null ? 0 : Encoding.UTF8.GetMaxByteCount(value.Length));
        if (buffer.Length - used < most)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, used + most));
        }

        var length = value is null ? -1 : Encoding.UTF8.GetBytes(value, buffer.AsSpan(used + 4));
        BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(used), length);
        used += 4 + Math.Max(length, 0);
    }
}

using System.Buffers.Binary;

namespace CdcMigrator.Embedded.Publishing;

/// <summary>
/// A key's partition: murmur2 as Kafka's Java producer computes it. It must never change: the positions that lanes compare after a
/// restart are only comparable if every key stays in its lane.
/// </summary>
internal static class KeyPartition
{
    private const uint Multiplier = 0x5bd1e995;

    /// <summary>Partition of a key; records without key go to partition 0, so that they stay in order.</summary>
    public static int Of(ReadOnlySpan<byte> key, int partitions) => key.IsEmpty ? 0 : (int)((Murmur2(key) & 0x7fffffff) % (uint)partitions);

    private static uint Murmur2(ReadOnlySpan<byte> data)
    {
        var hash = 0x9747b28c ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var block = BinaryPrimitives.ReadUInt32LittleEndian(data) * Multiplier;
            block ^= block >> 24;
            hash = (hash * Multiplier) ^ (block * Multiplier);
            data = data[4..];
        }

        if (data.Length == 3)
        {
            hash ^= (uint)data[2] << 16;
        }

        if (data.Length >= 2)
        {
            hash ^= (uint)data[1] << 8;
        }

        if (data.Length >= 1)
        {
            hash = (hash ^ data[0]) * Multiplier;
        }

        hash = (hash ^ (hash >> 13)) * Multiplier;
        return hash ^ (hash >> 15);
    }
}

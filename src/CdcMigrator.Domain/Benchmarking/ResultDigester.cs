using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CdcMigrator.Domain.Benchmarking;

/// <summary>Computes the digest of a result, row by row. Not thread-safe.</summary>
/// <param name="acrossEngines">The two sides print numbers differently (1 and 1.00), so that numbers are compared as such.</param>
public sealed class ResultDigester(bool acrossEngines)
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] digest = new byte[32];
    private long rows;
    private UInt128 content;
    private UInt128 order;

    /// <summary>Adds a row.</summary>
    /// <param name="values">Its values as text; null for NULL.</param>
    public void Add(ReadOnlySpan<string?> values)
    {
        Span<byte> length = stackalloc byte[4];
        foreach (var value in values)
        {
            var bytes = value is null ? null : Encoding.UTF8.GetBytes(Canonical(value));
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes?.Length ?? -1);
            hash.AppendData(length);
            hash.AppendData(bytes ?? []);
        }

        hash.GetHashAndReset(digest);
        var row = BinaryPrimitives.ReadUInt128LittleEndian(digest);
        rows++;
        unchecked
        {
            // Rows may repeat, so that a sum is taken and no exclusive or.
            content += row;
            order = (order * 0x9E3779B97F4A7C15) + row;
        }
    }

    /// <summary>The digest of all rows added.</summary>
    public ResultDigest ToDigest() => new(rows, content, order);

    private string Canonical(string value) =>
        acrossEngines && decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number.ToString("G29", CultureInfo.InvariantCulture) : value;
}

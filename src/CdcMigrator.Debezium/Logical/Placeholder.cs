using System.Security.Cryptography;
using System.Text;

namespace CdcMigrator.Debezium.Logical;

/// <summary>The configured placeholder of unchanged TOAST values in the forms in which Debezium writes it (all observed).</summary>
internal sealed class Placeholder
{
    private readonly byte[] text;
    private readonly byte[] uuid;
    private readonly byte[] json;

    /// <summary>Makes the forms of a configured placeholder, <c>hex:</c> before hexadecimal bytes.</summary>
    public Placeholder(string configured)
    {
        text = configured.StartsWith("hex:", StringComparison.Ordinal) ? Convert.FromHexString(configured.AsSpan(4)) : Encoding.UTF8.GetBytes(configured);
        uuid = Encoding.UTF8.GetBytes(NameUuid(text));
        var quoted = System.Text.Json.JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
        json = Encoding.UTF8.GetBytes($"{{\"{quoted}\":\"{quoted}\"}}");
    }

    /// <summary>Number of byte codes an integer array holds in its place.</summary>
    public int Length => text.Length;

    /// <summary>Text, and the bytes of a binary value.</summary>
    public bool Is(ReadOnlySpan<byte> value) => value.SequenceEqual(text);

    /// <summary>In a uuid array: the version 3 UUID of the placeholder.</summary>
    public bool IsUuid(ReadOnlySpan<byte> value) => value.SequenceEqual(uuid);

    /// <summary>In hstore as JSON: an object of the placeholder by itself.</summary>
    public bool IsJsonPair(ReadOnlySpan<byte> value) => value.SequenceEqual(json);

    /// <summary>In integer and date arrays: the code of one byte.</summary>
    public bool IsCode(int index, long value) => index < text.Length && (sbyte)text[index] == (sbyte)value && value is >= -128 and <= 255;

    /// <summary>Java's <c>UUID.nameUUIDFromBytes</c>.</summary>
    private static string NameUuid(byte[] name)
    {
#pragma warning disable CA5351 // A name-based UUID is defined over MD5; nothing is protected by it.
        var hash = MD5.HashData(name);
#pragma warning restore CA5351
        hash[6] = (byte)((hash[6] & 0x0F) | 0x30);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash, bigEndian: true).ToString();
    }
}

using System.Buffers;

namespace CdcMigrator.Debezium.Logical;

/// <summary>Reads binary values in the forms of <c>binary.handling.mode</c>.</summary>
internal static class BinaryText
{
    /// <summary>The bytes, in the writer's scratch room.</summary>
    public static ReadOnlySpan<byte> Decode(ReadOnlySpan<byte> text, BinaryHandlingMode mode, ValueWriter writer)
    {
        if (mode != BinaryHandlingMode.Hex)
        {
            return writer.FromBase64(text, mode == BinaryHandlingMode.Base64UrlSafe);
        }

        var target = new byte[text.Length / 2];
        return text.Length % 2 == 0 && Convert.FromHexString(text, target, out _, out _) == OperationStatus.Done
            ? target
            : throw new FormatException("bytes are not valid hexadecimal");
    }
}

using System.Buffers;
using System.Buffers.Text;
using System.Text.Unicode;

namespace CdcMigrator.Debezium.Logical;

/// <summary>Where logical types write to, with what they need to know about the row. One a decoder.</summary>
internal sealed class ValueWriter(Placeholder placeholder)
{
    private byte[] scratch = new byte[4096];

    /// <summary>The batch, or the buffer of an array's element.</summary>
    public required IBufferWriter<byte> Output { get; set; }

    /// <summary>The row was read by a snapshot, whose old dates and large money differ from the stream's (observed).</summary>
    public bool SnapshotRow { get; set; }

    /// <summary>The value is an array's element: dates and timestamps there always have the snapshot's errors (observed).</summary>
    public bool InArray { get; set; }

    /// <summary>Whether dates before the Gregorian calendar cannot be trusted.</summary>
    public bool OldDatesAreShifted => SnapshotRow || InArray;

    /// <summary>The placeholder of unchanged TOAST values.</summary>
    public Placeholder Placeholder => placeholder;

    /// <summary>Members of the struct being read.</summary>
    public StructCells Cells { get; } = new();

    /// <summary>The array being written. Arrays do not nest.</summary>
    public ArrayText Array { get; } = new();

    /// <summary>Room for an unescaped or decoded value; valid until the next call.</summary>
    public Span<byte> Scratch(int length)
    {
        if (scratch.Length < length)
        {
            scratch = new byte[Math.Max(length, scratch.Length * 2)];
        }

        return scratch.AsSpan(0, length);
    }

    /// <summary>Writes bytes as they are.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Output.GetSpan(bytes.Length));
        Output.Advance(bytes.Length);
    }

    /// <summary>Writes text after checking that PostgreSQL can store it.</summary>
    public void WriteText(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Contains((byte)0))
        {
            throw new NulCharacterException();
        }

        if (!Utf8.IsValid(utf8))
        {
            throw new FormatException("text is not valid UTF-8");
        }

        Write(utf8);
    }

    /// <summary>Writes one ASCII character.</summary>
    public void Write(char ascii)
    {
        Output.GetSpan(1)[0] = (byte)ascii;
        Output.Advance(1);
    }

    /// <summary>Writes a number, with leading zeros up to a width.</summary>
    public void WriteInteger(long value, byte width = 0)
    {
        var span = Output.GetSpan(24);
        Utf8Formatter.TryFormat(value, span, out var written, width == 0 ? default : new StandardFormat('D', width));
        Output.Advance(written);
    }

    /// <summary>Writes bytes in lower-case hexadecimal.</summary>
    public void WriteHex(ReadOnlySpan<byte> bytes)
    {
        var span = Output.GetSpan(bytes.Length * 2);
        Convert.TryToHexStringLower(bytes, span, out var written);
        Output.Advance(written);
    }

    /// <summary>Writes base64 text's bytes into scratch room.</summary>
    public ReadOnlySpan<byte> FromBase64(ReadOnlySpan<byte> base64, bool urlSafe = false)
    {
        var length = base64.Length;
        // The text may itself lie in the scratch room, so decode into fresh room behind it where it does.
        var target = base64.Overlaps(scratch) ? new byte[length] : Scratch(length);
        var written = 0;
        var valid = urlSafe
            ? Base64Url.TryDecodeFromUtf8(base64, target, out written)
            : Base64.DecodeFromUtf8(base64, target, out _, out written) == OperationStatus.Done;
        return valid ? target[..written] : throw new FormatException("bytes are not valid base64");
    }
}

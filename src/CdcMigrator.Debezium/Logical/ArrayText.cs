using System.Buffers;

namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// Writes PostgreSQL's array text <c>{1,NULL,"a b"}</c> an element at a time; it is the element's output meanwhile. Knows the arrays that
/// stand for something else: placeholders, and the remains of arrays of several dimensions.
/// </summary>
internal sealed class ArrayText : IBufferWriter<byte>
{
    private static readonly SearchValues<byte> Special = SearchValues.Create("\"\\{}, \t\n\r\v\f"u8);
    private byte[] element = new byte[256];
    private int used;
    private int count;
    private bool allNull;
    private int codes;
    private bool unavailable;
    private bool unfaithful;
    private char close;
    private IBufferWriter<byte>? outer;

    /// <summary>Whether an array is being written; they do not nest.</summary>
    public bool IsOpen => outer is not null;

    /// <summary>Forgets an array that was not finished.</summary>
    public void Reset() => outer = null;

    /// <summary>Begins an array in the writer's output.</summary>
    public void Begin(string brackets, ValueWriter writer)
    {
        outer = writer.Output;
        writer.Write(brackets[0]);
        writer.Output = this;
        writer.InArray = true;
        used = count = codes = 0;
        allNull = true;
        close = brackets[1];
        unavailable = unfaithful = false;
    }

    /// <summary>Notes an integer element, which may be a placeholder's byte.</summary>
    public void Note(long value, Placeholder placeholder) => codes += placeholder.IsCode(count, value) ? 1 : 0;

    /// <summary>Ends an element whose text was written, or that has none.</summary>
    public void Add(Outcome outcome, ValueWriter writer)
    {
        writer.Output = outer!;
        if (count++ > 0)
        {
            writer.Write(',');
        }

        allNull &= outcome == Outcome.Null;
        unavailable |= outcome == Outcome.Unavailable;
        unfaithful |= outcome == Outcome.Unfaithful;
        if (outcome == Outcome.Value)
        {
            WriteElement(element.AsSpan(0, used), writer);
        }
        else
        {
            writer.Write("NULL"u8);
        }

        used = 0;
        writer.Output = this;
    }

    /// <summary>Ends the array and says what it stands for.</summary>
    public Outcome End(ValueWriter writer)
    {
        writer.Output = outer!;
        writer.InArray = false;
        outer = null;
        writer.Write(close);
        if (count == 0)
        {
            return Outcome.Value;
        }

        if ((unavailable && count == 1) || (codes == count && count == writer.Placeholder.Length))
        {
            return Outcome.Unavailable;
        }

        // Two dimensions arrive as one NULL for each row of the array (observed), so arrays of NULLs alone cannot be trusted.
        return unavailable || unfaithful || allNull ? Outcome.Unfaithful : Outcome.Value;
    }

    /// <inheritdoc />
    public void Advance(int count) => used += count;

    /// <inheritdoc />
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return element.AsMemory(used);
    }

    /// <inheritdoc />
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return element.AsSpan(used);
    }

    private void WriteElement(ReadOnlySpan<byte> text, ValueWriter writer)
    {
        unfaithful |= IsJavaArray(text);
        if (text.Length > 0 && !text.ContainsAny(Special) && !System.Text.Ascii.EqualsIgnoreCase(text, "null"u8))
        {
            writer.Write(text);
            return;
        }

        writer.Write('"');
        while (text.IndexOfAny((byte)'"', (byte)'\\') is var at and >= 0)
        {
            writer.Write(text[..at]);
            writer.Write('\\');
            writer.Write((char)text[at]);
            text = text[(at + 1)..];
        }

        writer.Write(text);
        writer.Write('"');
    }

    /// <summary>Rows of a two-dimensional text array arrive as Java's <c>[Ljava.lang.String;@7579cc4</c> (observed).</summary>
    private static bool IsJavaArray(ReadOnlySpan<byte> text) =>
        text.Length > 3 && text[0] == '[' && (text.StartsWith("[L"u8) || text.StartsWith("[["u8) || text[2] == '@') && text.Contains((byte)'@');

    private void Ensure(int sizeHint)
    {
        var needed = used + Math.Max(sizeHint, 64);
        if (element.Length < needed)
        {
            System.Array.Resize(ref element, Math.Max(element.Length * 2, needed));
        }
    }
}

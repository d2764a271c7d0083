namespace CdcMigrator.Debezium.Logical;

/// <summary>The members of one struct value, by their place in <see cref="LogicalType.Members"/>. Reused for every value.</summary>
internal sealed class StructCells
{
    private const int Most = 16;
    private readonly bool[] present = new bool[Most];
    private readonly (int Start, int Length)[] spans = new (int, int)[Most];
    private byte[] bytes = new byte[256];
    private int used;

    /// <summary>Forgets the former value.</summary>
    public void Clear()
    {
        Array.Clear(present);
        used = 0;
    }

    /// <summary>Takes the bytes, or the text of a string or number, of a member.</summary>
    public void Set(int member, ReadOnlySpan<byte> value)
    {
        if (bytes.Length - used < value.Length)
        {
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, used + value.Length));
        }

        value.CopyTo(bytes.AsSpan(used));
        spans[member] = (used, value.Length);
        present[member] = true;
        used += value.Length;
    }

    /// <summary>Whether the member was there and not null.</summary>
    public bool Has(int member) => present[member];

    /// <summary>What was set; empty when nothing was.</summary>
    public ReadOnlySpan<byte> this[int member] =>
        present[member] ? bytes.AsSpan(spans[member].Start, spans[member].Length) : default;
}

namespace CdcMigrator.Embedded.Publishing;

/// <summary>A column's value within the bytes of its row.</summary>
/// <param name="Kind">Whether there are bytes.</param>
/// <param name="Start">First byte.</param>
/// <param name="Length">Length in bytes.</param>
internal readonly record struct Cell(CellKind Kind, int Start, int Length)
{
    /// <summary>SQL NULL.</summary>
    public static Cell Null => default;

    /// <summary>The bytes, of <see cref="CellKind.Text"/> only.</summary>
    public ReadOnlySpan<byte> Of(byte[] row) => row.AsSpan(Start, Length);
}

using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.Publishing;

namespace CdcMigrator.Embedded.Replication;

/// <summary>
/// Reads rows of COPY's text format: values in the form the types' output functions give, which is also what pgoutput sends. A
/// cast to text is not the same (char(n), inet, xml, bool), and a key must read the same in snapshot and stream.
/// </summary>
internal sealed class CopyTextReader(Stream stream, int columns)
{
    private int filled;
    private int next;

    /// <summary>Bytes the cells point into; valid until the next row is read.</summary>
    public byte[] Buffer { get; private set; } = new byte[64 * 1024];

    /// <summary>Cells of the row.</summary>
    public Cell[] Cells { get; } = new Cell[columns];

    /// <summary>Reads one row; false at the end.</summary>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        var scanned = next;
        while (true)
        {
            var end = Buffer.AsSpan(scanned, filled - scanned).IndexOf((byte)'\n');
            if (end >= 0)
            {
                Split(next, scanned + end);
                next = scanned + end + 1;
                return true;
            }

            scanned = filled;
            if (next > 0)
            {
                Buffer.AsSpan(next, filled - next).CopyTo(Buffer);
                scanned -= next;
                filled -= next;
                next = 0;
            }

            if (filled == Buffer.Length)
            {
                var larger = new byte[Buffer.Length * 2];
                Buffer.AsSpan(0, filled).CopyTo(larger);
                Buffer = larger;
            }

            var read = await stream.ReadAsync(Buffer.AsMemory(filled), cancellationToken);
            if (read == 0)
            {
                return filled == next ? false : throw Malformed();
            }

            filled += read;
        }
    }

    private void Split(int start, int end)
    {
        var column = 0;
        while (true)
        {
            if (column == Cells.Length)
            {
                throw Malformed();
            }

            var tab = Buffer.AsSpan(start, end - start).IndexOf((byte)'\t');
            var fieldEnd = tab < 0 ? end : start + tab;
            Cells[column++] = Field(start, fieldEnd);
            if (tab < 0)
            {
                break;
            }

            start = fieldEnd + 1;
        }

        if (column != Cells.Length)
        {
            throw Malformed();
        }
    }

    private Cell Field(int start, int end)
    {
        var field = Buffer.AsSpan(start, end - start);
        var escape = field.IndexOf((byte)'\\');
        if (escape < 0)
        {
            return new Cell(CellKind.Text, start, field.Length);
        }

        if (field is [(byte)'\\', (byte)'N'])
        {
            return Cell.Null;
        }

        var write = escape;
        for (var read = escape; read < field.Length; read++)
        {
            if (field[read] != '\\')
            {
                field[write++] = field[read];
                continue;
            }

            if (++read == field.Length)
            {
                throw Malformed();
            }

            field[write++] = field[read] switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                (byte)'v' => (byte)'\v',
                var other => other,
            };
        }

        return new Cell(CellKind.Text, start, write);
    }

    private static FaultException Malformed() =>
        new(FaultKind.Internal, "copy-format", "The source sent snapshot rows that do not follow COPY's text format");
}

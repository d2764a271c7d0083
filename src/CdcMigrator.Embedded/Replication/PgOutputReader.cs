using System.Buffers.Binary;
using System.Text;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.Publishing;

namespace CdcMigrator.Embedded.Replication;

/// <summary>Reads the fields of one pgoutput message (protocol 1) in their order.</summary>
internal ref struct PgOutputReader(byte[] message, int length)
{
    private int position;

    /// <summary>Next byte.</summary>
    public byte Byte()
    {
        Need(1);
        return message[position++];
    }

    /// <summary>Next 16-bit number.</summary>
    public int Int16()
    {
        Need(2);
        var value = BinaryPrimitives.ReadInt16BigEndian(message.AsSpan(position));
        position += 2;
        return value;
    }

    /// <summary>Next unsigned 32-bit number.</summary>
    public uint UInt32()
    {
        Need(4);
        var value = BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(position));
        position += 4;
        return value;
    }

    /// <summary>Next unsigned 64-bit number.</summary>
    public ulong UInt64()
    {
        Need(8);
        var value = BinaryPrimitives.ReadUInt64BigEndian(message.AsSpan(position));
        position += 8;
        return value;
    }

    /// <summary>Next timestamp, as Unix milliseconds; the wire has microseconds since 2000.</summary>
    public long UnixMilliseconds() => ((long)UInt64() / 1000) + 946_684_800_000;

    /// <summary>Next zero-terminated string.</summary>
    public string Text()
    {
        var end = message.AsSpan(position, length - position).IndexOf((byte)0);
        if (end < 0)
        {
            throw Malformed();
        }

        var text = Encoding.UTF8.GetString(message, position, end);
        position += end + 1;
        return text;
    }

    /// <summary>Next tuple: one cell a column, pointing into the message.</summary>
    /// <returns>Number of columns.</returns>
    public int Tuple(ref Cell[] cells)
    {
        var count = Int16();
        if (cells.Length < count)
        {
            Array.Resize(ref cells, count);
        }

        for (var i = 0; i < count; i++)
        {
            switch (Byte())
            {
                case (byte)'n':
                    cells[i] = Cell.Null;
                    break;
                case (byte)'u':
                    cells[i] = new Cell(CellKind.Unchanged, 0, 0);
                    break;
                case (byte)'t':
                    var size = (int)UInt32();
                    Need(size);
                    cells[i] = new Cell(CellKind.Text, position, size);
                    position += size;
                    break;
                default:
                    throw Malformed();
            }
        }

        return count;
    }

    private readonly void Need(int bytes)
    {
        if (bytes < 0 || bytes > length - position)
        {
            throw Malformed();
        }
    }

    private static FaultException Malformed() =>
        new(FaultKind.Internal, "pgoutput-format", "The source sent a replication message that does not follow pgoutput's protocol 1");
}

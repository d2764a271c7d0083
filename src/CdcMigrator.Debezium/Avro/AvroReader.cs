using System.Buffers.Binary;

namespace CdcMigrator.Debezium.Avro;

/// <summary>Reads Avro's binary from a span, checking every length.</summary>
internal ref struct AvroReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> data = data;

    /// <summary>Bytes read.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes left.</summary>
    public readonly int Left => data.Length - Position;

    /// <summary>int or long.</summary>
    public long ReadInteger()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var next = ReadByte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return (long)(value >> 1) ^ -(long)(value & 1);
            }
        }

        throw new FormatException("an Avro integer does not end");
    }

    /// <summary>boolean.</summary>
    public bool ReadBoolean() => ReadByte() switch
    {
        0 => false,
        1 => true,
        _ => throw new FormatException("an Avro boolean is neither 0 nor 1"),
    };

    /// <summary>float.</summary>
    public float ReadSingle() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    /// <summary>double.</summary>
    public double ReadDouble() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    /// <summary>bytes or string.</summary>
    public ReadOnlySpan<byte> ReadBytes() => Take(ReadInteger());

    /// <summary>So many bytes.</summary>
    public ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > Left)
        {
            throw new FormatException("an Avro value ends before its length");
        }

        var taken = data.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    /// <summary>A union's branch.</summary>
    public AvroNode ReadBranch(AvroNode union)
    {
        var index = ReadInteger();
        return index >= 0 && index < union.Children.Count ? union.Children[(int)index] : throw new FormatException("an Avro union has no such branch");
    }

    /// <summary>Items of the next block of an array or map; 0 at its end.</summary>
    public long ReadBlock()
    {
        var count = ReadInteger();
        if (count < 0)
        {
            count = count == long.MinValue ? throw new FormatException("an Avro block has no count") : -count;
            ReadInteger();
        }

        // Every item Debezium writes has at least a byte.
        return count <= Left ? count : throw new FormatException("an Avro block ends before its count");
    }

    /// <summary>Passes over a value.</summary>
    public void Skip(AvroNode node)
    {
        switch (node.Kind)
        {
            case AvroKind.Null:
                break;
            case AvroKind.Boolean:
                Take(1);
                break;
            case AvroKind.Integer or AvroKind.Enum:
                ReadInteger();
                break;
            case AvroKind.Float:
                Take(4);
                break;
            case AvroKind.Double:
                Take(8);
                break;
            case AvroKind.Bytes or AvroKind.Text:
                ReadBytes();
                break;
            case AvroKind.Fixed:
                Take(node.Size);
                break;
            case AvroKind.Union:
                Skip(ReadBranch(node));
                break;
            case AvroKind.Record:
                for (var i = 0; i < node.Children.Count; i++)
                {
                    Skip(node.Children[i]);
                }

                break;
            default:
                SkipBlocks(node);
                break;
        }
    }

    private void SkipBlocks(AvroNode node)
    {
        for (var count = ReadBlock(); count > 0; count = ReadBlock())
        {
            for (var i = 0L; i < count; i++)
            {
                if (node.Kind == AvroKind.Map)
                {
                    ReadBytes();
                }

                Skip(node.Children[0]);
            }
        }
    }

    private byte ReadByte() => Position < data.Length ? data[Position++] : throw new FormatException("an Avro value ends too early");
}

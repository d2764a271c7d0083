using System.Buffers.Binary;

namespace CdcMigrator.Reconciliation.Reading.Avro;

/// <summary>Walks through Avro's binary. Every length is checked against what is there.</summary>
internal ref struct AvroBytes(ReadOnlySpan<byte> bytes)
{
    private const int DeepestNesting = 64;
    private ReadOnlySpan<byte> rest = bytes;

    /// <summary>Bytes not walked through yet.</summary>
    public readonly int Left => rest.Length;

    /// <summary>An int or long.</summary>
    public long Integer()
    {
        ulong value = 0;
        for (int i = 0, shift = 0; i < rest.Length && shift < 64; i++, shift += 7)
        {
            value |= (ulong)(rest[i] & 0x7F) << shift;
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return (long)(value >> 1) ^ -(long)(value & 1);
            }
        }

        throw new FormatException("an Avro number does not end");
    }

    /// <summary>A boolean.</summary>
    public bool Boolean() => Take(1)[0] != 0;

    /// <summary>A float.</summary>
    public float Float() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    /// <summary>A double.</summary>
    public double Double() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    /// <summary>Bytes or a string.</summary>
    public ReadOnlySpan<byte> Counted() => Take(Integer());

    /// <summary>So many bytes.</summary>
    public ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > rest.Length)
        {
            throw new FormatException("an Avro value is cut off");
        }

        var taken = rest[..(int)count];
        rest = rest[(int)count..];
        return taken;
    }

    /// <summary>The type that follows: itself, or the branch a union took.</summary>
    public AvroType Enter(AvroType type)
    {
        if (type.Shape != AvroShape.Union)
        {
            return type;
        }

        var branch = Integer();
        return branch >= 0 && branch < type.Parts.Count ? type.Parts[(int)branch] : throw new FormatException("an Avro union has no such branch");
    }

    /// <summary>Passes over a value.</summary>
    public void Pass(AvroType type, int depth = 0)
    {
        if (depth > DeepestNesting)
        {
            throw new FormatException("an Avro value nests too deep");
        }

        switch (type.Shape)
        {
            case AvroShape.Null:
                break;
            case AvroShape.Boolean:
                Take(1);
                break;
            case AvroShape.Integer or AvroShape.Enum:
                Integer();
                break;
            case AvroShape.Float:
                Take(4);
                break;
            case AvroShape.Double:
                Take(8);
                break;
            case AvroShape.Bytes or AvroShape.Text:
                Counted();
                break;
            case AvroShape.Fixed:
                Take(type.Size);
                break;
            case AvroShape.Union:
                Pass(Enter(type), depth + 1);
                break;
            case AvroShape.Record:
                for (var i = 0; i < type.Parts.Count; i++)
                {
                    Pass(type.Parts[i], depth + 1);
                }

                break;
            default:
                PassItems(type, depth);
                break;
        }
    }

    private void PassItems(AvroType type, int depth)
    {
        for (var count = Integer(); count != 0; count = Integer())
        {
            if (count < 0)
            {
                // The block's length in bytes is told.
                Take(Integer());
                continue;
            }

            for (var i = 0L; i < count; i++)
            {
                var before = rest.Length;
                if (type.Shape == AvroShape.Map)
                {
                    Counted();
                }

                Pass(type.Parts[0], depth + 1);
                if (rest.Length == before)
                {
                    // Items without bytes, as many as a broken count says.
                    break;
                }
            }
        }
    }
}

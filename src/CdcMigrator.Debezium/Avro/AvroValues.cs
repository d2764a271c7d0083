using System.Buffers.Text;
using System.Globalization;
using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Avro;

/// <summary>Hands Avro values to logical types.</summary>
internal static class AvroValues
{
    /// <summary>Reads a value and writes its text.</summary>
    public static Outcome Write(ref AvroReader reader, AvroNode node, LogicalType type, ValueWriter writer)
    {
        switch (node.Kind)
        {
            case AvroKind.Union:
                return Write(ref reader, reader.ReadBranch(node), type, writer);
            case AvroKind.Null:
                return Outcome.Null;
            case AvroKind.Boolean:
                return type.FromBoolean(reader.ReadBoolean(), writer);
            case AvroKind.Integer:
                return type.FromInteger(reader.ReadInteger(), writer);
            case AvroKind.Float:
                return type.FromSingle(reader.ReadSingle(), writer);
            case AvroKind.Double:
                return type.FromDouble(reader.ReadDouble(), writer);
            case AvroKind.Text:
                return type.FromText(reader.ReadBytes(), writer);
            case AvroKind.Bytes:
                return type.FromBytes(reader.ReadBytes(), writer);
            case AvroKind.Fixed:
                return type.FromBytes(reader.Take(node.Size), writer);
            case AvroKind.Enum:
                var symbol = reader.ReadInteger();
                return symbol >= 0 && symbol < node.Symbols.Count
                    ? type.FromText(node.Symbols[(int)symbol], writer)
                    : throw new FormatException("an Avro enum has no such symbol");
            case AvroKind.Record:
                return WriteStruct(ref reader, node, type, writer);
            default:
                return type.IsMap ? WriteMap(ref reader, node, writer) : WriteArray(ref reader, node, type, writer);
        }
    }

    private static Outcome WriteArray(ref AvroReader reader, AvroNode node, LogicalType type, ValueWriter writer)
    {
        var element = type.Element ?? throw new FormatException($"{type.GetType().Name} cannot hold an array");
        if (writer.Array.IsOpen || node.Kind != AvroKind.Array)
        {
            reader.Skip(node);
            return Outcome.Unfaithful;
        }

        writer.Array.Begin(type.Brackets, writer);
        for (var count = reader.ReadBlock(); count > 0; count = reader.ReadBlock())
        {
            for (var i = 0L; i < count; i++)
            {
                writer.Array.Add(WriteElement(ref reader, node.Children[0], element, writer), writer);
            }
        }

        return writer.Array.End(writer);
    }

    private static Outcome WriteElement(ref AvroReader reader, AvroNode node, LogicalType type, ValueWriter writer)
    {
        var value = node.Kind == AvroKind.Union ? reader.ReadBranch(node) : node;
        if (value.Kind != AvroKind.Integer)
        {
            return Write(ref reader, value, type, writer);
        }

        var integer = reader.ReadInteger();
        writer.Array.Note(integer, writer.Placeholder);
        return type.FromInteger(integer, writer);
    }

    /// <summary>A map of texts is an Avro map, or an array of key and value where its keys may be null.</summary>
    private static Outcome WriteMap(ref AvroReader reader, AvroNode node, ValueWriter writer)
    {
        var entry = node.Children[0];
        var isMap = node.Kind == AvroKind.Map;
        var first = true;
        var entries = 0L;
        var placeholders = 0;
        for (var count = reader.ReadBlock(); count > 0; count = reader.ReadBlock())
        {
            entries += count;
            for (var i = 0L; i < count; i++)
            {
                var key = Text(ref reader, isMap ? TextNode : entry.Children[0], out var isNull);
                placeholders += writer.Placeholder.Is(key) ? 1 : 0;
                HstoreText.Key(isNull ? throw new FormatException("a key of hstore is null") : key, ref first, writer);
                var value = Text(ref reader, isMap ? entry : entry.Children[1], out isNull);
                if (isNull)
                {
                    HstoreText.NullValue(writer);
                }
                else
                {
                    HstoreText.Value(value, writer);
                }
            }
        }

        return entries == 1 && placeholders == 1 ? Outcome.Unavailable : Outcome.Value;
    }

    private static readonly AvroNode TextNode = new(AvroKind.Text, new ConnectSchema(ConnectKind.Text));

    private static ReadOnlySpan<byte> Text(ref AvroReader reader, AvroNode node, out bool isNull)
    {
        node = node.Kind == AvroKind.Union ? reader.ReadBranch(node) : node;
        isNull = node.Kind == AvroKind.Null;
        return isNull ? default : node.Kind == AvroKind.Text ? reader.ReadBytes() : throw new FormatException("hstore holds something other than text");
    }

    private static Outcome WriteStruct(ref AvroReader reader, AvroNode node, LogicalType type, ValueWriter writer)
    {
        var members = type.Members ?? throw new FormatException($"{type.GetType().Name} cannot hold a record");
        writer.Cells.Clear();
        for (var i = 0; i < node.Children.Count; i++)
        {
            var member = Array.FindIndex(members, candidate => candidate.Name == node.Names[i]);
            if (member < 0)
            {
                reader.Skip(node.Children[i]);
            }
            else
            {
                SetCell(ref reader, node.Children[i], member, writer.Cells);
            }
        }

        return type.FromStruct(writer.Cells, writer);
    }

    private static void SetCell(ref AvroReader reader, AvroNode node, int member, StructCells cells)
    {
        Span<byte> text = stackalloc byte[32];
        var written = 0;
        node = node.Kind == AvroKind.Union ? reader.ReadBranch(node) : node;
        switch (node.Kind)
        {
            case AvroKind.Null:
                return;
            case AvroKind.Integer:
                Utf8Formatter.TryFormat(reader.ReadInteger(), text, out written);
                break;
            case AvroKind.Double:
                reader.ReadDouble().TryFormat(text, out written, "R", CultureInfo.InvariantCulture);
                break;
            case AvroKind.Float:
                reader.ReadSingle().TryFormat(text, out written, "R", CultureInfo.InvariantCulture);
                break;
            case AvroKind.Text or AvroKind.Bytes:
                cells.Set(member, reader.ReadBytes());
                return;
            default:
                throw new FormatException($"a struct's member is {node.Kind}");
        }

        cells.Set(member, text[..written]);
    }
}

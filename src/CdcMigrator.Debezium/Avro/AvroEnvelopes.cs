using CdcMigrator.Debezium.Envelopes;

namespace CdcMigrator.Debezium.Avro;

/// <summary>Reads a value's envelope. The row is skipped here, because what it means is said behind it.</summary>
internal static class AvroEnvelopes
{
    /// <summary>Reads the envelope from a position in a record's value to its end.</summary>
    public static void Read(ReadOnlySpan<byte> value, int start, AvroNode root, Envelope envelope)
    {
        if (root.Kind != AvroKind.Record)
        {
            throw new FormatException("the value's schema is no record");
        }

        envelope.HasStatus = root.Field("status") is not null;
        envelope.HasDdl = root.Field("ddl") is not null;
        var reader = new AvroReader(value[start..]);
        for (var i = 0; i < root.Children.Count; i++)
        {
            var node = root.Children[i];
            switch (root.Envelope[i])
            {
                case EnvelopeField.After:
                    (envelope.AfterStart, envelope.AfterLength) = ReadRow(ref reader, start, node);
                    break;
                case EnvelopeField.Before:
                    (envelope.BeforeStart, envelope.BeforeLength) = ReadRow(ref reader, start, node);
                    break;
                case EnvelopeField.Source:
                    node = Branch(ref reader, node);
                    envelope.HasSource = node.Kind == AvroKind.Record;
                    ReadSource(ref reader, node, envelope.Source);
                    break;
                case EnvelopeField.Operation:
                    var operation = Text(ref reader, node);
                    envelope.Operation = operation.Length == 1 ? operation[0] : (byte)'?';
                    break;
                case EnvelopeField.Timestamp:
                    envelope.TimestampMs = Integer(ref reader, node);
                    break;
                default:
                    reader.Skip(node);
                    break;
            }
        }

        if (reader.Left > 0)
        {
            throw new FormatException("the value goes on behind its schema's end");
        }
    }

    private static (int Start, int Length) ReadRow(ref AvroReader reader, int start, AvroNode node)
    {
        node = Branch(ref reader, node);
        var begin = reader.Position;
        reader.Skip(node);
        return node.Kind == AvroKind.Record ? (start + begin, reader.Position - begin) : (-1, 0);
    }

    private static void ReadSource(ref AvroReader reader, AvroNode source, SourceBlock block)
    {
        if (source.Kind != AvroKind.Record)
        {
            reader.Skip(source);
            return;
        }

        for (var i = 0; i < source.Children.Count; i++)
        {
            var node = source.Children[i];
            switch (source.Source[i])
            {
                case SourceField.Version:
                    block.SetVersion(Text(ref reader, node));
                    break;
                case SourceField.Db:
                    block.Db.Set(Text(ref reader, node));
                    break;
                case SourceField.Schema:
                    block.Schema.Set(Text(ref reader, node));
                    break;
                case SourceField.Table:
                    block.Table.Set(Text(ref reader, node));
                    break;
                case SourceField.Timestamp:
                    block.TimestampMs = Integer(ref reader, node);
                    break;
                case SourceField.Lsn:
                    block.Lsn = unchecked((ulong)Integer(ref reader, node));
                    break;
                case SourceField.TransactionId:
                    block.TransactionId = unchecked((ulong)Integer(ref reader, node));
                    break;
                case SourceField.Sequence:
                    if (Text(ref reader, node) is { Length: > 0 } sequence)
                    {
                        block.SetSequence(sequence);
                    }

                    break;
                case SourceField.Snapshot:
                    block.IsIncremental = Text(ref reader, node).SequenceEqual("incremental"u8);
                    break;
                default:
                    reader.Skip(node);
                    break;
            }
        }
    }

    private static AvroNode Branch(ref AvroReader reader, AvroNode node) => node.Kind == AvroKind.Union ? reader.ReadBranch(node) : node;

    private static ReadOnlySpan<byte> Text(ref AvroReader reader, AvroNode node)
    {
        node = Branch(ref reader, node);
        switch (node.Kind)
        {
            case AvroKind.Text:
                return reader.ReadBytes();
            case AvroKind.Enum:
                var symbol = reader.ReadInteger();
                return symbol >= 0 && symbol < node.Symbols.Count ? node.Symbols[(int)symbol] : throw new FormatException("an Avro enum has no such symbol");
            default:
                reader.Skip(node);
                return default;
        }
    }

    private static long Integer(ref AvroReader reader, AvroNode node)
    {
        node = Branch(ref reader, node);
        if (node.Kind == AvroKind.Integer)
        {
            return reader.ReadInteger();
        }

        reader.Skip(node);
        return 0;
    }
}

namespace CdcMigrator.Reconciliation.Reading.Avro;

/// <summary>Reads the head of an event in Avro. Rows are passed over.</summary>
internal static class AvroEvents
{
    /// <summary>Bytes before the value in Confluent's wire format: zero, and the schema's id.</summary>
    public const int Prefix = 5;

    /// <summary>Reads a record's value without its prefix.</summary>
    /// <exception cref="FormatException">The bytes are not of this type.</exception>
    public static EnvelopeHead Read(ReadOnlySpan<byte> value, AvroType type)
    {
        var bytes = new AvroBytes(value);
        var head = EnvelopeHead.Empty;
        type = bytes.Enter(type);
        if (type.Shape == AvroShape.Null)
        {
            head.IsNull = true;
            return head;
        }

        if (type.Shape != AvroShape.Record)
        {
            throw new FormatException("it is no Avro record");
        }

        for (var i = 0; i < type.Parts.Count; i++)
        {
            switch (type.Roles[i])
            {
                case EventPart.Source:
                    ReadSource(ref bytes, bytes.Enter(type.Parts[i]), ref head);
                    break;
                case EventPart.Operation:
                    var operation = Text(ref bytes, type.Parts[i]);
                    head.Operation = operation.Length == 1 ? operation[0] : (byte)'?';
                    break;
                default:
                    bytes.Pass(type.Parts[i]);
                    break;
            }
        }

        return head;
    }

    private static void ReadSource(scoped ref AvroBytes bytes, AvroType source, scoped ref EnvelopeHead head)
    {
        if (source.Shape != AvroShape.Record)
        {
            bytes.Pass(source);
            return;
        }

        head.HasSource = true;
        for (var i = 0; i < source.Parts.Count; i++)
        {
            var type = source.Parts[i];
            switch (source.Roles[i])
            {
                case EventPart.Database:
                    head.Database = Text(ref bytes, type);
                    break;
                case EventPart.Schema:
                    head.Schema = Text(ref bytes, type);
                    break;
                case EventPart.Table:
                    head.Table = Text(ref bytes, type);
                    break;
                case EventPart.File:
                    head.File = Text(ref bytes, type);
                    break;
                case EventPart.Position:
                    head.Position = Number(ref bytes, type);
                    break;
                case EventPart.Transaction:
                    head.TransactionId = Number(ref bytes, type);
                    break;
                case EventPart.Snapshot:
                    var snapshot = Text(ref bytes, type);
                    head.IsSnapshot = !snapshot.IsEmpty && !snapshot.SequenceEqual("false"u8);
                    break;
                default:
                    bytes.Pass(type);
                    break;
            }
        }
    }

    private static ReadOnlySpan<byte> Text(scoped ref AvroBytes bytes, AvroType type)
    {
        type = bytes.Enter(type);
        switch (type.Shape)
        {
            case AvroShape.Text:
                return bytes.Counted();
            case AvroShape.Enum:
                var symbol = bytes.Integer();
                return symbol >= 0 && symbol < type.Symbols.Count ? type.Symbols[(int)symbol] : throw new FormatException("an Avro enum has no such symbol");
            default:
                bytes.Pass(type);
                return default;
        }
    }

    private static long Number(scoped ref AvroBytes bytes, AvroType type)
    {
        type = bytes.Enter(type);
        if (type.Shape == AvroShape.Integer)
        {
            return bytes.Integer();
        }

        bytes.Pass(type);
        return -1;
    }
}

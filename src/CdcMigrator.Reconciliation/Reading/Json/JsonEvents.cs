using System.Text.Json;

namespace CdcMigrator.Reconciliation.Reading.Json;

/// <summary>Reads the head of an event in JSON, with or without Connect's schema around it. Rows are passed over.</summary>
internal static class JsonEvents
{
    /// <summary>Reads a record's value.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    /// <exception cref="FormatException">It is JSON, but no object.</exception>
    public static EnvelopeHead Read(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        var head = EnvelopeHead.Empty;
        if (!Enter(ref reader, out _))
        {
            head.IsNull = true;
            return head;
        }

        while (reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("source"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    head.HasSource = true;
                    ReadSource(ref reader, ref head);
                }
            }
            else if (reader.ValueTextEquals("op"u8))
            {
                reader.Read();
                head.Operation = reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length == 1 ? reader.ValueSpan[0] : (byte)'?';
            }
            else
            {
                reader.Skip();
            }

            reader.Read();
        }

        return head;
    }

    /// <summary>
    /// Goes to the first property of an object, or of its payload where a converter wrote <c>{"schema":…,"payload":…}</c>. False where it is null.
    /// A key's own column may be called schema too, but no column's value is an object with a type in it.
    /// </summary>
    public static bool Enter(ref Utf8JsonReader reader, out Range schema)
    {
        schema = default;
        if (!reader.Read() || reader.TokenType == JsonTokenType.Null)
        {
            return false;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new FormatException("it is no JSON object");
        }

        reader.Read();
        if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("schema"u8))
        {
            return true;
        }

        var inside = reader;
        inside.Read();
        if (inside.TokenType is not (JsonTokenType.StartObject or JsonTokenType.Null))
        {
            return true;
        }

        var start = (int)inside.TokenStartIndex;
        inside.Skip();
        schema = new Range(start, (int)inside.BytesConsumed);
        inside.Read();
        if (inside.TokenType != JsonTokenType.PropertyName || !inside.ValueTextEquals("payload"u8))
        {
            schema = default;
            return true;
        }

        inside.Read();
        reader = inside;
        if (reader.TokenType == JsonTokenType.Null)
        {
            return false;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new FormatException("its payload is no JSON object");
        }

        reader.Read();
        return true;
    }

    private static void ReadSource(scoped ref Utf8JsonReader reader, scoped ref EnvelopeHead head)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            // By length first: most of a source block's fields are of no interest.
            switch (reader.ValueSpan.Length)
            {
                case 2 when reader.ValueTextEquals("db"u8):
                    head.Database = Text(ref reader);
                    break;
                case 3 when reader.ValueTextEquals("pos"u8):
                    head.Position = Number(ref reader);
                    break;
                case 4 when reader.ValueTextEquals("txId"u8):
                    head.TransactionId = Number(ref reader);
                    break;
                case 4 when reader.ValueTextEquals("file"u8):
                    head.File = Text(ref reader);
                    break;
                case 5 when reader.ValueTextEquals("table"u8):
                    head.Table = Text(ref reader);
                    break;
                case 6 when reader.ValueTextEquals("schema"u8):
                    head.Schema = Text(ref reader);
                    break;
                case 8 when reader.ValueTextEquals("snapshot"u8):
                    reader.Read();
                    head.IsSnapshot = reader.TokenType == JsonTokenType.True || (reader.TokenType == JsonTokenType.String && !reader.ValueTextEquals("false"u8));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static ReadOnlySpan<byte> Text(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType != JsonTokenType.String ? Passed(ref reader)
            : reader.ValueIsEscaped ? System.Text.Encoding.UTF8.GetBytes(reader.GetString()!)
            : reader.ValueSpan;
    }

    private static ReadOnlySpan<byte> Passed(scoped ref Utf8JsonReader reader)
    {
        reader.Skip();
        return default;
    }

    private static long Number(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number))
        {
            return number;
        }

        reader.Skip();
        return -1;
    }
}

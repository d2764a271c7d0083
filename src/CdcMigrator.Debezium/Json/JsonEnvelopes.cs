using System.Text.Json;
using CdcMigrator.Debezium.Envelopes;

namespace CdcMigrator.Debezium.Json;

/// <summary>Reads a value's envelope. The row is skipped here, because what it means is said behind it.</summary>
internal static class JsonEnvelopes
{
    /// <summary>Reads the envelope in a part of a record's value.</summary>
    /// <param name="json">The payload.</param>
    /// <param name="start">Where the payload begins in the record's value.</param>
    /// <param name="envelope">Filled.</param>
    public static void Read(ReadOnlySpan<byte> json, int start, Envelope envelope)
    {
        var reader = new Utf8JsonReader(json);
        if (json.SequenceEqual("null"u8))
        {
            envelope.IsNull = true;
            return;
        }

        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new FormatException("the value is no JSON object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("after"u8))
            {
                (envelope.AfterStart, envelope.AfterLength) = ReadRow(ref reader, start);
            }
            else if (reader.ValueTextEquals("before"u8))
            {
                (envelope.BeforeStart, envelope.BeforeLength) = ReadRow(ref reader, start);
            }
            else if (reader.ValueTextEquals("source"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    envelope.HasSource = true;
                    ReadSource(ref reader, envelope.Source);
                }
                else
                {
                    reader.Skip();
                }
            }
            else if (reader.ValueTextEquals("op"u8))
            {
                reader.Read();
                envelope.Operation = reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length == 1 ? reader.ValueSpan[0] : (byte)'?';
                reader.Skip();
            }
            else if (reader.ValueTextEquals("ts_ms"u8))
            {
                reader.Read();
                envelope.TimestampMs = Integer(ref reader);
            }
            else
            {
                envelope.HasStatus |= reader.ValueTextEquals("status"u8);
                envelope.HasDdl |= reader.ValueTextEquals("ddl"u8) || reader.ValueTextEquals("tableChanges"u8);
                reader.Read();
                reader.Skip();
            }
        }

        if (reader.Read())
        {
            throw new FormatException("the value goes on behind its object");
        }
    }

    private static (int Start, int Length) ReadRow(ref Utf8JsonReader reader, int start)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return (-1, 0);
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new FormatException("before or after is no object");
        }

        var begin = (int)reader.TokenStartIndex;
        reader.Skip();
        return (start + begin, (int)reader.BytesConsumed - begin);
    }

    private static void ReadSource(ref Utf8JsonReader reader, SourceBlock source)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan;
            reader.Read();
            switch (name.Length)
            {
                case 2 when name.SequenceEqual("db"u8):
                    Name(ref reader, source.Db);
                    break;
                case 3 when name.SequenceEqual("lsn"u8):
                    source.Lsn = unchecked((ulong)Integer(ref reader));
                    break;
                case 4 when name.SequenceEqual("txId"u8):
                    source.TransactionId = unchecked((ulong)Integer(ref reader));
                    break;
                case 5 when name.SequenceEqual("table"u8):
                    Name(ref reader, source.Table);
                    break;
                case 5 when name.SequenceEqual("ts_ms"u8):
                    source.TimestampMs = Integer(ref reader);
                    break;
                case 6 when name.SequenceEqual("schema"u8):
                    Name(ref reader, source.Schema);
                    break;
                case 7 when name.SequenceEqual("version"u8) && reader.TokenType == JsonTokenType.String:
                    source.SetVersion(reader.ValueSpan);
                    break;
                case 8 when name.SequenceEqual("sequence"u8) && reader.TokenType == JsonTokenType.String:
                    source.SetSequence(reader.ValueSpan);
                    break;
                case 8 when name.SequenceEqual("snapshot"u8) && reader.TokenType == JsonTokenType.String:
                    source.IsIncremental = reader.ValueSpan.SequenceEqual("incremental"u8);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static void Name(ref Utf8JsonReader reader, Utf8Name name)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            name.SetLength(reader.CopyString(name.Room(reader.ValueSpan.Length)));
        }
        else
        {
            reader.Skip();
        }
    }

    private static long Integer(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number ? reader.GetInt64()
        : reader.TokenType == JsonTokenType.Null ? 0
        : throw new FormatException("a position or time is no number");
}

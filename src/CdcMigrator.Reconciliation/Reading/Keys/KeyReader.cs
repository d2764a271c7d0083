using System.Text.Json;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Reconciliation.Reading.Avro;
using CdcMigrator.Reconciliation.Reading.Json;

namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>
/// Turns a record's key into the row's. Never guesses: a value whose text in the source is not certain makes the change one of all rows, and the doubt
/// is told. Not thread-safe.
/// </summary>
internal sealed class KeyReader(ReadingSettings settings)
{
    private byte[] unescaped = new byte[256];

    /// <summary>The row's key; null with a doubt where it cannot be told.</summary>
    /// <exception cref="JsonException">The key is no JSON.</exception>
    /// <exception cref="FormatException">The key is not of its type.</exception>
    public RowKey? OfJson(byte[] key, KeyTable table, bool isRead, out string? doubt)
    {
        var reader = new Utf8JsonReader(key);
        doubt = table.DoubtOfAll;
        if (!JsonEvents.Enter(ref reader, out var schema))
        {
            return null;
        }

        var plan = schema.Equals(default) || key.AsSpan(schema).SequenceEqual("null"u8) ? table.Schemaless : table.PlanOf(key.AsSpan(schema));
        var texts = new string[table.Columns.Length];
        var found = 0;
        while (reader.TokenType == JsonTokenType.PropertyName)
        {
            var column = 0;
            while (column < texts.Length && !reader.ValueTextEquals(table.Columns[column].FieldUtf8))
            {
                column++;
            }

            reader.Read();
            if (column < texts.Length)
            {
                if (KeyTexts.Of(table.Columns[column], plan.Meanings[column], Value(ref reader), isRead, settings) is not { } text)
                {
                    doubt = table.DoubtOf(column);
                    return null;
                }

                found += texts[column] is null ? 1 : 0;
                texts[column] = text;
            }

            reader.Skip();
            reader.Read();
        }

        return Made(texts, found, ref doubt);
    }

    /// <summary>The row's key of Avro bytes without their prefix; null with a doubt where it cannot be told.</summary>
    /// <exception cref="FormatException">The key is not of its type.</exception>
    public RowKey? OfAvro(ReadOnlySpan<byte> key, AvroType type, KeyTable table, bool isRead, out string? doubt)
    {
        var bytes = new AvroBytes(key);
        doubt = table.DoubtOfAll;
        type = bytes.Enter(type);
        if (type.Shape != AvroShape.Record)
        {
            return null;
        }

        var plan = table.PlanOf(type);
        var texts = new string[table.Columns.Length];
        var found = 0;
        for (var i = 0; i < type.Parts.Count; i++)
        {
            var part = bytes.Enter(type.Parts[i]);
            var column = plan.Columns[i];
            if (column < 0)
            {
                bytes.Pass(part);
                continue;
            }

            if (KeyTexts.Of(table.Columns[column], plan.Meanings[column], Value(ref bytes, part), isRead, settings) is not { } text)
            {
                doubt = table.DoubtOf(column);
                return null;
            }

            found += texts[column] is null ? 1 : 0;
            texts[column] = text;
        }

        return Made(texts, found, ref doubt);
    }

    private static RowKey? Made(string[] texts, int found, ref string? doubt)
    {
        if (found < texts.Length)
        {
            return null;
        }

        doubt = null;
        return new RowKey(texts);
    }

    private KeyValue Value(scoped ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return new KeyValue { Kind = KeyValueKind.Digits, Bytes = reader.ValueSpan };
            case JsonTokenType.True or JsonTokenType.False:
                return new KeyValue { Kind = KeyValueKind.Boolean, Integer = reader.TokenType == JsonTokenType.True ? 1 : 0 };
            case JsonTokenType.String when !reader.ValueIsEscaped:
                return new KeyValue { Kind = KeyValueKind.Text, Bytes = reader.ValueSpan };
            case JsonTokenType.String:
                if (unescaped.Length < reader.ValueSpan.Length)
                {
                    unescaped = new byte[reader.ValueSpan.Length];
                }

                return new KeyValue { Kind = KeyValueKind.Text, Bytes = unescaped.AsSpan(0, reader.CopyString(unescaped)) };
            default:
                return default;
        }
    }

    private static KeyValue Value(scoped ref AvroBytes bytes, AvroType type)
    {
        switch (type.Shape)
        {
            case AvroShape.Boolean:
                return new KeyValue { Kind = KeyValueKind.Boolean, Integer = bytes.Boolean() ? 1 : 0 };
            case AvroShape.Integer:
                return new KeyValue { Kind = KeyValueKind.Integer, Integer = bytes.Integer() };
            case AvroShape.Float:
                return new KeyValue { Kind = KeyValueKind.Float, Real = bytes.Float() };
            case AvroShape.Double:
                return new KeyValue { Kind = KeyValueKind.Double, Real = bytes.Double() };
            case AvroShape.Bytes:
                return new KeyValue { Kind = KeyValueKind.Bytes, Bytes = bytes.Counted() };
            case AvroShape.Text:
                return new KeyValue { Kind = KeyValueKind.Text, Bytes = bytes.Counted() };
            case AvroShape.Enum:
                var symbol = bytes.Integer();
                return symbol >= 0 && symbol < type.Symbols.Count ? new KeyValue { Kind = KeyValueKind.Text, Bytes = type.Symbols[(int)symbol] } : default;
            default:
                bytes.Pass(type);
                return default;
        }
    }
}

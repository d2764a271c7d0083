using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Json;

/// <summary>Hands JSON tokens to logical types.</summary>
internal static class JsonValues
{
    /// <summary>Writes the value the reader stands on; the reader then stands on its last token.</summary>
    public static Outcome Write(ref Utf8JsonReader reader, LogicalType type, ValueWriter writer)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return Outcome.Null;
            case JsonTokenType.True or JsonTokenType.False:
                return type.FromBoolean(reader.TokenType == JsonTokenType.True, writer);
            case JsonTokenType.Number:
                return type.FromNumber(reader.ValueSpan, writer);
            case JsonTokenType.String:
                var text = Text(ref reader, writer);
                return type.TextIsBase64 ? type.FromBytes(writer.FromBase64(text), writer) : type.FromText(text, writer);
            case JsonTokenType.StartArray:
                return WriteArray(ref reader, type, writer);
            default:
                return type.IsMap ? WriteMap(ref reader, writer) : WriteStruct(ref reader, type, writer);
        }
    }

    /// <summary>The string the reader stands on, unescaped; valid until the writer's scratch room is used again.</summary>
    public static ReadOnlySpan<byte> Text(ref Utf8JsonReader reader, ValueWriter writer)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }

        var room = writer.Scratch(reader.ValueSpan.Length);
        return room[..reader.CopyString(room)];
    }

    /// <summary>Writes an object of texts as hstore.</summary>
    public static Outcome WriteMap(ref Utf8JsonReader reader, ValueWriter writer)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new FormatException("hstore is no JSON object");
        }

        var first = true;
        var entries = 0;
        var placeholders = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            entries++;
            var key = Text(ref reader, writer);
            placeholders += writer.Placeholder.Is(key) ? 1 : 0;
            HstoreText.Key(key, ref first, writer);
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
            {
                HstoreText.NullValue(writer);
                continue;
            }

            if (reader.TokenType != JsonTokenType.String)
            {
                throw new FormatException("hstore holds something other than text");
            }

            HstoreText.Value(Text(ref reader, writer), writer);
        }

        return entries == 1 && placeholders == 1 ? Outcome.Unavailable : Outcome.Value;
    }

    /// <summary>Text of a default given as JSON; null where it is no value.</summary>
    public static byte[]? DefaultText(string json, LogicalType type, DebeziumSettings settings)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new ValueWriter(new Placeholder(settings.UnavailablePlaceholder)) { Output = output };
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
            reader.Read();
            return Write(ref reader, type, writer) == Outcome.Value ? output.WrittenSpan.ToArray() : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static Outcome WriteArray(ref Utf8JsonReader reader, LogicalType type, ValueWriter writer)
    {
        if (type.EmptyArrayIsUnavailable)
        {
            return reader.Read() && reader.TokenType == JsonTokenType.EndArray
                ? Outcome.Unavailable
                : throw new FormatException("an array of the embedded log must be empty");
        }

        var element = type.Element ?? throw new FormatException($"{type.GetType().Name} cannot hold an array");
        if (writer.Array.IsOpen)
        {
            // Debezium writes no nested arrays; should it ever, they are reselected.
            reader.Skip();
            return Outcome.Unfaithful;
        }

        writer.Array.Begin(type.Brackets, writer);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.Number && Utf8Parser.TryParse(reader.ValueSpan, out long code, out _))
            {
                writer.Array.Note(code, writer.Placeholder);
            }

            writer.Array.Add(Write(ref reader, element, writer), writer);
        }

        return writer.Array.End(writer);
    }

    private static Outcome WriteStruct(ref Utf8JsonReader reader, LogicalType type, ValueWriter writer)
    {
        var members = type.Members ?? throw new FormatException($"{type.GetType().Name} cannot hold an object");
        var cells = writer.Cells;
        cells.Clear();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = IndexOf(members, ref reader);
            reader.Read();
            if (member < 0 || reader.TokenType is JsonTokenType.Null)
            {
                reader.Skip();
            }
            else if (reader.TokenType == JsonTokenType.String)
            {
                var text = Text(ref reader, writer);
                cells.Set(member, members[member].IsBytes ? writer.FromBase64(text) : text);
            }
            else if (reader.TokenType == JsonTokenType.Number && !members[member].IsBytes)
            {
                cells.Set(member, reader.ValueSpan);
            }
            else
            {
                throw new FormatException($"{members[member].Name} is neither text nor number");
            }
        }

        return type.FromStruct(cells, writer);
    }

    private static int IndexOf(StructMember[] members, ref Utf8JsonReader reader)
    {
        for (var i = 0; i < members.Length; i++)
        {
            if (reader.ValueTextEquals(members[i].Utf8))
            {
                return i;
            }
        }

        return -1;
    }
}

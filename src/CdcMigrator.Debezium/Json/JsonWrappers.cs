using System.Text.Json;
using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Json;

/// <summary>
/// Takes JsonConverter's wrapper <c>{"schema":…,"payload":…}</c> off. The schema repeats in each record, byte by byte: it is
/// compared with those met before instead of read again.
/// </summary>
internal sealed class JsonWrappers
{
    private const int Most = 64;
    private readonly List<(byte[] Prefix, ConnectSchema? Schema)> known = [];

    /// <summary>The payload of a key or value.</summary>
    public JsonPayload Unwrap(ReadOnlySpan<byte> json)
    {
        for (var i = 0; i < known.Count; i++)
        {
            var entry = known[i];
            if (!json.StartsWith(entry.Prefix))
            {
                continue;
            }

            if (i > 0)
            {
                known.RemoveAt(i);
                known.Insert(0, entry);
            }

            return Payload(json, entry.Prefix.Length, entry.Schema);
        }

        // Only what begins like a wrapper is looked at twice.
        return MayBeWrapped(json) && Find(json, out var schema, out var payload) ? Remember(json, schema, payload) : new JsonPayload(0, json.Length, null);
    }

    private JsonPayload Remember(ReadOnlySpan<byte> json, Range schema, int payload)
    {
        ConnectSchema? read = null;
        if (!json[schema].SequenceEqual("null"u8))
        {
            using var document = JsonDocument.Parse(json[schema].ToArray());
            read = JsonSchemas.Read(document.RootElement);
        }

        if (known.Count == Most)
        {
            known.RemoveAt(Most - 1);
        }

        known.Insert(0, (json[..payload].ToArray(), read));
        return Payload(json, payload, read);
    }

    private static JsonPayload Payload(ReadOnlySpan<byte> json, int start, ConnectSchema? schema)
    {
        var end = json.LastIndexOf((byte)'}');
        return end >= start
            ? new JsonPayload(start, end - start, schema)
            : throw new FormatException("the payload behind the schema does not end");
    }

    private static bool MayBeWrapped(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && reader.TokenType == JsonTokenType.StartObject && reader.Read()
            && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("schema"u8);
    }

    /// <summary>A table may have columns of these names; a wrapper's schema is an object with a type, or null, and nothing else is beside the two.</summary>
    private static bool Find(ReadOnlySpan<byte> json, out Range schema, out int payload)
    {
        schema = default;
        payload = 0;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        reader.Read();
        reader.Read();
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.Null))
        {
            return false;
        }

        var begin = (int)reader.TokenStartIndex;
        reader.Skip();
        schema = begin..(int)reader.BytesConsumed;
        if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("payload"u8) || !reader.Read())
        {
            return false;
        }

        payload = (int)reader.TokenStartIndex;
        reader.Skip();
        return reader.Read() && reader.TokenType == JsonTokenType.EndObject;
    }
}

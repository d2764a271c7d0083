using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CdcMigrator.UnitTests.Debezium.Logical;

/// <summary>Connect's JSON schemas and values as Avro, in the way of Confluent's and Apicurio's converters.</summary>
internal static class ConnectAvro
{
    /// <summary>The Avro schema of a Connect schema; optional ones are unions with null in front.</summary>
    public static JsonNode Schema(JsonElement connect, string name)
    {
        var schema = Bare(connect, name);
        return connect.TryGetProperty("optional", out var optional) && optional.GetBoolean() ? new JsonArray("null", schema) : schema;
    }

    /// <summary>Writes a JSON value under a Connect schema.</summary>
    public static void Write(JsonElement connect, JsonElement value, List<byte> output)
    {
        if (connect.TryGetProperty("optional", out var optional) && optional.GetBoolean())
        {
            Integer(value.ValueKind == JsonValueKind.Null ? 0 : 1, output);
            if (value.ValueKind == JsonValueKind.Null)
            {
                return;
            }
        }

        switch (connect.GetProperty("type").GetString())
        {
            case "boolean":
                output.Add(value.GetBoolean() ? (byte)1 : (byte)0);
                break;
            case "float" or "float32":
                var single = new byte[4];
                BinaryPrimitives.WriteSingleLittleEndian(single, value.ValueKind == JsonValueKind.String ? float.Parse(value.GetString()!) : value.GetSingle());
                output.AddRange(single);
                break;
            case "double" or "float64":
                var number = new byte[8];
                BinaryPrimitives.WriteDoubleLittleEndian(number, value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!) : value.GetDouble());
                output.AddRange(number);
                break;
            case "string":
                Bytes(Encoding.UTF8.GetBytes(value.GetString()!), output);
                break;
            case "bytes":
                Bytes(value.GetBytesFromBase64(), output);
                break;
            case "array":
                Integer(value.GetArrayLength(), output);
                foreach (var item in value.EnumerateArray())
                {
                    Write(connect.GetProperty("items"), item, output);
                }

                if (value.GetArrayLength() > 0)
                {
                    Integer(0, output);
                }

                break;
            case "map":
                // With optional keys or values converters write arrays of entries; blocks with a size are the rarer form.
                var entries = new List<byte>();
                foreach (var member in value.EnumerateObject())
                {
                    Bytes(Encoding.UTF8.GetBytes(member.Name), entries);
                    Write(connect.GetProperty("values"), member.Value, entries);
                }

                Integer(-value.EnumerateObject().Count(), output);
                Integer(entries.Count, output);
                output.AddRange(entries);
                Integer(0, output);
                break;
            case "struct":
                foreach (var field in connect.GetProperty("fields").EnumerateArray())
                {
                    Write(field, value.TryGetProperty(field.GetProperty("field").GetString()!, out var member) ? member : Null, output);
                }

                break;
            default:
                Integer(value.GetInt64(), output);
                break;
        }
    }

    public static void Integer(long value, List<byte> output)
    {
        var zigzag = (ulong)((value << 1) ^ (value >> 63));
        for (; zigzag >= 0x80; zigzag >>= 7)
        {
            output.Add((byte)(zigzag | 0x80));
        }

        output.Add((byte)zigzag);
    }

    private static readonly JsonElement Null = JsonDocument.Parse("null").RootElement;

    private static void Bytes(byte[] bytes, List<byte> output)
    {
        Integer(bytes.Length, output);
        output.AddRange(bytes);
    }

    private static JsonObject Bare(JsonElement connect, string name)
    {
        var type = connect.GetProperty("type").GetString();
        var schema = type switch
        {
            "struct" => new JsonObject
            {
                ["type"] = "record",
                ["name"] = connect.TryGetProperty("name", out var given) ? given.GetString() : name,
                ["fields"] = new JsonArray([.. connect.GetProperty("fields").EnumerateArray().Select((field, i) => (JsonNode)new JsonObject
                {
                    ["name"] = field.GetProperty("field").GetString(),
                    ["type"] = Schema(field, $"{name}_{i}"),
                })]),
            },
            "array" => new JsonObject { ["type"] = "array", ["items"] = Schema(connect.GetProperty("items"), $"{name}_item") },
            "map" => new JsonObject { ["type"] = "map", ["values"] = Schema(connect.GetProperty("values"), $"{name}_value") },
            "int8" or "int16" or "int32" => new JsonObject { ["type"] = "int" },
            "int64" => new JsonObject { ["type"] = "long" },
            "float32" => new JsonObject { ["type"] = "float" },
            "float64" => new JsonObject { ["type"] = "double" },
            _ => new JsonObject { ["type"] = type },
        };
        if (connect.TryGetProperty("name", out var connectName))
        {
            schema["connect.name"] = connectName.GetString();
        }

        if (connect.TryGetProperty("parameters", out var parameters))
        {
            schema["connect.parameters"] = JsonNode.Parse(parameters.GetRawText());
        }

        return schema;
    }
}

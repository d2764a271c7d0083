using System.Text.Json;
using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Json;

/// <summary>Reads Connect schemas from JsonConverter's wrapper.</summary>
internal static class JsonSchemas
{
    private const int DeepestNesting = 32;

    /// <summary>Reads one schema.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static ConnectSchema Read(JsonElement schema, int depth = 0)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > DeepestNesting)
        {
            throw new FormatException("a schema is no object, or nests too deep");
        }

        var kind = Kind(Text(schema, "type"));
        var parameters = schema.TryGetProperty("parameters", out var given) && given.ValueKind == JsonValueKind.Object ? given : default;
        return new ConnectSchema(kind, Text(schema, "name"))
        {
            Optional = schema.TryGetProperty("optional", out var optional) && optional.ValueKind == JsonValueKind.True,
            Scale = Number(parameters, "scale"),
            Length = Number(parameters, "length"),
            SourceColumn = parameters.ValueKind == JsonValueKind.Object ? Text(parameters, "__debezium.source.column.name") : null,
            Default = schema.TryGetProperty("default", out var value) && value.ValueKind != JsonValueKind.Null ? value.GetRawText() : null,
            Items = kind == ConnectKind.Array && schema.TryGetProperty("items", out var items) ? Read(items, depth + 1) : null,
            Fields = kind == ConnectKind.Struct ? Fields(schema, depth) : [],
        };
    }

    /// <summary>The primitive of a Connect type's name.</summary>
    public static ConnectKind Kind(string? type) => type switch
    {
        "boolean" => ConnectKind.Boolean,
        "int8" or "int16" or "int32" or "int64" => ConnectKind.Integer,
        "float" or "double" or "float32" or "float64" => ConnectKind.Float,
        "string" => ConnectKind.Text,
        "bytes" => ConnectKind.Bytes,
        "array" => ConnectKind.Array,
        "map" => ConnectKind.Map,
        "struct" => ConnectKind.Struct,
        _ => throw new FormatException($"'{type}' is no type of Kafka Connect"),
    };

    private static List<ConnectField> Fields(JsonElement schema, int depth)
    {
        var fields = new List<ConnectField>();
        if (schema.TryGetProperty("fields", out var given) && given.ValueKind == JsonValueKind.Array)
        {
            foreach (var field in given.EnumerateArray())
            {
                var read = Read(field, depth + 1);
                fields.Add(new ConnectField(Text(field, "field") ?? throw new FormatException("a schema's field has no name"), read));
            }
        }

        return fields;
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? Number(JsonElement parameters, string name) =>
        parameters.ValueKind == JsonValueKind.Object && int.TryParse(Text(parameters, name), out var number) ? number : null;
}

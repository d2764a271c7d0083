using System.Globalization;
using System.Text;
using System.Text.Json;
using CdcMigrator.Reconciliation.Reading.Keys;

namespace CdcMigrator.Reconciliation.Reading.Avro;

/// <summary>Makes types of a schema's JSON.</summary>
internal sealed class AvroTypes
{
    private readonly Dictionary<string, AvroType> named = new(StringComparer.Ordinal);

    private AvroTypes()
    {
    }

    /// <summary>The type a schema describes.</summary>
    /// <exception cref="FormatException">It is no schema.</exception>
    public static AvroType Parse(string schema)
    {
        try
        {
            using var document = JsonDocument.Parse(schema);
            return new AvroTypes().Of(document.RootElement, "");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException("it is no Avro schema", e);
        }
    }

    private AvroType Of(JsonElement schema, string space)
    {
        switch (schema.ValueKind)
        {
            case JsonValueKind.String:
                return Named(schema.GetString()!, space);
            case JsonValueKind.Array:
                return new AvroType(AvroShape.Union) { Parts = [.. schema.EnumerateArray().Select(branch => Of(branch, space))] };
            default:
                return Complex(schema, space);
        }
    }

    private AvroType Named(string name, string space) => name switch
    {
        "null" => new AvroType(AvroShape.Null),
        "boolean" => new AvroType(AvroShape.Boolean),
        "int" or "long" => new AvroType(AvroShape.Integer),
        "float" => new AvroType(AvroShape.Float),
        "double" => new AvroType(AvroShape.Double),
        "bytes" => new AvroType(AvroShape.Bytes),
        "string" => new AvroType(AvroShape.Text),
        _ => named.TryGetValue(Full(name, space), out var known) || named.TryGetValue(name, out known)
            ? known
            : throw new FormatException($"Avro type {name} is not known"),
    };

    private AvroType Complex(JsonElement schema, string space)
    {
        var kind = schema.GetProperty("type");
        if (kind.ValueKind != JsonValueKind.String)
        {
            // {"type": {"type": …}}, or a union with properties of its own.
            return Of(kind, space);
        }

        switch (kind.GetString())
        {
            case "record" or "error":
                return Record(schema, space);
            case "enum":
                return Define(new AvroType(AvroShape.Enum) { Symbols = [.. schema.GetProperty("symbols").EnumerateArray().Select(symbol => Encoding.UTF8.GetBytes(symbol.GetString()!))] }, schema, space, out _);
            case "fixed":
                return Define(new AvroType(AvroShape.Fixed) { Size = schema.GetProperty("size").GetInt32() }, schema, space, out _);
            case "array":
                return new AvroType(AvroShape.Array) { Parts = [Of(schema.GetProperty("items"), space)], Meaning = MeaningOf(schema) };
            case "map":
                return new AvroType(AvroShape.Map) { Parts = [Of(schema.GetProperty("values"), space)], Meaning = MeaningOf(schema) };
            case var name:
                var type = Named(name!, space);
                return named.ContainsValue(type) ? type : new AvroType(type.Shape) { Meaning = MeaningOf(schema) };
        }
    }

    private AvroType Record(JsonElement schema, string space)
    {
        // Known by its name before its fields are made: they may be of the record's own type.
        var record = Define(new AvroType(AvroShape.Record), schema, space, out var inner);
        var fields = schema.GetProperty("fields").EnumerateArray().ToList();
        record.Fields = [.. fields.Select(field => field.GetProperty("name").GetString()!)];
        record.Roles = [.. record.Fields.Select(RoleOf)];
        record.Parts = [.. fields.Select(field => Of(field.GetProperty("type"), inner))];
        return record;
    }

    private AvroType Define(AvroType type, JsonElement schema, string space, out string inner)
    {
        var name = schema.GetProperty("name").GetString()!;
        inner = schema.TryGetProperty("namespace", out var own) && own.ValueKind == JsonValueKind.String ? own.GetString()! : space;
        var dot = name.LastIndexOf('.');
        inner = dot >= 0 ? name[..dot] : inner;
        named[dot >= 0 ? name : Full(name, inner)] = type;
        type.Meaning = MeaningOf(schema);
        return type;
    }

    private static string Full(string name, string space) => space.Length == 0 || name.Contains('.', StringComparison.Ordinal) ? name : $"{space}.{name}";

    private static FieldMeaning MeaningOf(JsonElement schema)
    {
        var name = schema.TryGetProperty("connect.name", out var connect) ? connect.GetString()
            : schema.TryGetProperty("logicalType", out var logical) ? logical.GetString()
            : null;
        var scale = schema.TryGetProperty("scale", out var number) && number.ValueKind == JsonValueKind.Number ? number.GetInt32() : (int?)null;
        if (schema.TryGetProperty("connect.parameters", out var parameters) && parameters.ValueKind == JsonValueKind.Object
            && parameters.TryGetProperty("scale", out var text) && int.TryParse(text.GetString(), CultureInfo.InvariantCulture, out var parsed))
        {
            scale = parsed;
        }

        return FieldMeaning.Of(name, scale);
    }

    private static EventPart RoleOf(string name) => name switch
    {
        "source" => EventPart.Source,
        "op" => EventPart.Operation,
        "db" => EventPart.Database,
        "schema" => EventPart.Schema,
        "table" => EventPart.Table,
        "txId" => EventPart.Transaction,
        "snapshot" => EventPart.Snapshot,
        "file" => EventPart.File,
        "pos" => EventPart.Position,
        _ => EventPart.Other,
    };
}

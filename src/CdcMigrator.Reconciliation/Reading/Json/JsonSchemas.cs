using System.Globalization;
using System.Text.Json;
using CdcMigrator.Reconciliation.Reading.Keys;

namespace CdcMigrator.Reconciliation.Reading.Json;

/// <summary>Reads the schema Connect's JSON converter puts around a key.</summary>
internal static class JsonSchemas
{
    /// <summary>Names and meanings of its fields.</summary>
    /// <exception cref="FormatException">It is no schema of a struct.</exception>
    public static (IReadOnlyList<string> Fields, IReadOnlyList<FieldMeaning> Meanings) Read(ReadOnlySpan<byte> schema)
    {
        var reader = new Utf8JsonReader(schema);
        using var document = JsonDocument.ParseValue(ref reader);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("fields", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException("its schema is not that of a struct");
        }

        var fields = new List<string>();
        var meanings = new List<FieldMeaning>();
        foreach (var field in list.EnumerateArray())
        {
            fields.Add(Text(field, "field") ?? "");
            meanings.Add(FieldMeaning.Of(Text(field, "name"), Scale(field)));
        }

        return (fields, meanings);
    }

    private static int? Scale(JsonElement field) =>
        field.TryGetProperty("parameters", out var parameters) && parameters.ValueKind == JsonValueKind.Object
        && int.TryParse(Text(parameters, "scale"), CultureInfo.InvariantCulture, out var scale) ? scale : null;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

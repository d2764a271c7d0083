using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Changes;

/// <summary>A key as <c>{"id":"1"}</c>: source column names in the order of the route's key, values as PostgreSQL's text.</summary>
public static class KeyText
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Of key values.</summary>
    public static string Of(TableRoute route, IReadOnlyList<string> key)
    {
        ArgumentNullException.ThrowIfNull(route);
        return "{" + string.Join(',', route.Key.Columns.Select((column, i) =>
            $"{JsonSerializer.Serialize(route.SourceColumns[column], Plain)}:{JsonSerializer.Serialize(key[i], Plain)}")) + "}";
    }

    /// <summary>Of a change.</summary>
    public static string Of(ChangeBatch batch, in Change change)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var slots = batch.Slots(change);
        var text = new StringBuilder("{");
        foreach (var column in change.Route.Key.Columns)
        {
            var slot = slots[column];
            text.Append(text.Length > 1 ? "," : "")
                .Append(JsonSerializer.Serialize(change.Route.SourceColumns[column], Plain))
                .Append(':')
                .Append(slot.State == ColumnState.Value ? JsonSerializer.Serialize(Encoding.UTF8.GetString(batch.Value(slot)), Plain) : "null");
        }

        return text.Append('}').ToString();
    }
}

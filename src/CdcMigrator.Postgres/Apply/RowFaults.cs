using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Names the row in a fault: table, key, lane and offset.</summary>
internal static class RowFaults
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Fault Of(ChangeBatch batch, in Change change, Fault fault) => fault with
    {
        Lane = batch.Lane,
        Offset = change.Offset,
        Table = change.Route.Source.ToString(),
        Key = KeyText(batch, change),
    };

    /// <summary>The same of a key given as text.</summary>
    public static string KeyText(TableRoute route, IReadOnlyList<string> key) => "{" + string.Join(',', route.Key.Columns.Select((column, i) =>
        $"{JsonSerializer.Serialize(route.SourceColumns[column], Plain)}:{JsonSerializer.Serialize(key[i], Plain)}")) + "}";

    /// <summary>The key as <c>{"id":"1"}</c>, by source column names.</summary>
    public static string KeyText(ChangeBatch batch, in Change change)
    {
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

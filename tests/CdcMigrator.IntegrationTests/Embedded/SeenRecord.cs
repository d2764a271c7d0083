using System.Text.Json.Nodes;

namespace CdcMigrator.IntegrationTests.Embedded;

/// <summary>A record as a consumer got it.</summary>
public sealed record SeenRecord(string Topic, int Partition, long Offset, string? Key, string? Value, IReadOnlyDictionary<string, string> Headers)
{
    private readonly Lazy<JsonNode?> json = new(() => Value is null ? null : JsonNode.Parse(Value));

    /// <summary>Operation, or null for a tombstone.</summary>
    public string? Op => json.Value?["op"]!.GetValue<string>();

    /// <summary>Image after the change, as JSON.</summary>
    public string? After => json.Value?["after"]?.ToJsonString(Relaxed);

    /// <summary>Image before the change, as JSON.</summary>
    public string? Before => json.Value?["before"]?.ToJsonString(Relaxed);

    /// <summary>The source block.</summary>
    public JsonNode Source => json.Value!["source"]!;

    /// <summary>Commit LSN (0 for snapshot rows) and LSN.</summary>
    public (ulong Commit, ulong Lsn) Position
    {
        get
        {
            var parts = JsonNode.Parse(Source["sequence"]!.GetValue<string>())!.AsArray();
            return (parts[0] is null ? 0 : ulong.Parse(parts[0]!.GetValue<string>()), ulong.Parse(parts[1]!.GetValue<string>()));
        }
    }

    /// <summary>One column of the image after the change.</summary>
    public string? Column(string name) => json.Value!["after"]![name]?.GetValue<string>();

    private static readonly System.Text.Json.JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

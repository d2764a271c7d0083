using System.Text.Json;
using CdcMigrator.Connect.Rest;

namespace CdcMigrator.Service.Resyncing;

/// <summary>What a connector's stored offsets say about the snapshots it makes. Offsets are stored before the slot is told, so they are at least as new as its confirmed position.</summary>
/// <param name="Initial">Whether the initial snapshot is still running.</param>
/// <param name="SignalId">The signal of the incremental snapshot that is running; null while none is.</param>
/// <param name="Collections">What that snapshot has yet to copy, as Debezium writes it.</param>
internal sealed record ConnectorProgress(bool Initial, string? SignalId, string Collections)
{
    public static ConnectorProgress Of(IReadOnlyList<ConnectorOffset> offsets)
    {
        foreach (var offset in offsets)
        {
            using var json = JsonDocument.Parse(offset.Offset);
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object)
            {
                return new ConnectorProgress(
                    root.TryGetProperty("snapshot_completed", out var completed) && completed.ValueKind == JsonValueKind.False,
                    root.TryGetProperty("incremental_snapshot_correlation_id", out var id) ? id.GetString() : null,
                    root.TryGetProperty("incremental_snapshot_collections", out var collections) ? collections.GetString() ?? "" : "");
            }
        }

        return new ConnectorProgress(Initial: true, null, "");
    }
}

using System.Text.Json;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Fencing;

namespace CdcMigrator.Service.Resyncing;

/// <summary>What a connector's stored offsets say about the snapshots it makes.</summary>
/// <param name="Initial">Whether the initial snapshot is still running.</param>
/// <param name="Lsn">Position of the last change whose offset is stored; 0 where there is none.</param>
/// <param name="SignalId">The signal that last began an incremental snapshot, while one is running; null while none is.</param>
/// <param name="Collections">Tables it has yet to copy, or is copying, as <c>schema.table</c>.</param>
internal sealed record ConnectorProgress(bool Initial, ulong Lsn, string? SignalId, IReadOnlySet<string> Collections)
{
    private static readonly IReadOnlySet<string> None = new HashSet<string>();

    /// <summary>Position of the last commit before that change; 0 where none is known, as before the connector has read its first.</summary>
    public ulong CommitLsn { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="offsets">All that are stored for the connector: where its topic prefix was changed, those of the former one too.</param>
    /// <param name="prefix">Its topic prefix.</param>
    public static ConnectorProgress Of(IReadOnlyList<ConnectorOffset> offsets, string prefix)
    {
        foreach (var offset in offsets.OrderByDescending(offset => IsOf(offset.Partition, prefix)))
        {
            using var json = JsonDocument.Parse(offset.Offset);
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object)
            {
                return new ConnectorProgress(
                    root.TryGetProperty("file", out _) ? BinlogPosition.OfConnectorOffset(offset.Offset) == default
                        : root.TryGetProperty("snapshot_completed", out var completed) && completed.ValueKind == JsonValueKind.False,
                    root.TryGetProperty("lsn", out var lsn) && lsn.ValueKind == JsonValueKind.Number ? lsn.GetUInt64() : 0,
                    root.TryGetProperty("incremental_snapshot_correlation_id", out var id) ? id.GetString() : null,
                    root.TryGetProperty("incremental_snapshot_collections", out var collections) ? CollectionsOf(collections.GetString()) : None)
                {
                    CommitLsn = root.TryGetProperty("lsn_commit", out var commit) && commit.ValueKind == JsonValueKind.Number ? commit.GetUInt64() : 0,
                };
            }
        }

        return new ConnectorProgress(Initial: true, 0, null, None);
    }

    /// <summary>
    /// Position up to which the log holds every change; 0 while an initial snapshot runs, and before the connector has read a commit. Connect stores the offset of a record only once all
    /// records before it were acknowledged. What committed before a commit that was read came before it; and a change at or behind a position belongs to a transaction that committed behind it, so
    /// that what committed before came first. Within a long transaction the one goes back, and the other stands.
    /// </summary>
    public ulong Confirmed => Initial || CommitLsn == 0 ? 0 : Math.Max(Lsn, CommitLsn);

    /// <summary>
    /// Whether a table is copied. The connector works signals off in order with its changes, and every offset it stores from then on names what is
    /// left to copy. So an offset behind the marker, which was written behind the signal, names the table until all of it is in the log. The slot would not do: it may be told
    /// of changes whose offsets are not stored yet.
    /// </summary>
    public bool HasCopied(TableName table, string signalId, ulong marker) =>
        !Initial && Lsn >= marker && (SignalId is null || (SignalId != signalId && !Collections.Contains(table.ToString())));

    private static bool IsOf(string partition, string prefix)
    {
        using var json = JsonDocument.Parse(partition);
        return json.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("server", out var server) && server.GetString() == prefix;
    }

    /// <summary><c>[{"incremental_snapshot_collections_id":"public.orders",…},…]</c>.</summary>
    private static HashSet<string> CollectionsOf(string? text)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (text is { Length: > 0 })
        {
            using var json = JsonDocument.Parse(text);
            names.UnionWith(json.RootElement.EnumerateArray().Select(collection => collection.GetProperty("incremental_snapshot_collections_id").GetString() ?? ""));
        }

        return names;
    }
}

using CdcMigrator.Domain.Migrations;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Streaming;

namespace CdcMigrator.Service.Runtime;

/// <summary>What the migration file says of streaming.</summary>
internal static class PipelineOptions
{
    /// <summary>The options of the pipeline.</summary>
    /// <param name="definition">The migration file.</param>
    /// <param name="embedded">The embedded log; null with Kafka.</param>
    public static StreamingOptions Of(MigrationDefinition definition, EmbeddedLog? embedded) => new()
    {
        BootstrapServers = embedded?.BootstrapServers ?? definition.Log.BootstrapServers,
        Group = definition.Log.Group.Length > 0 ? definition.Log.Group : $"cdcm-{definition.LogName}",
        Topics = [.. definition.Tables.Select(table => EmbeddedLog.TopicOf(definition.Log.TopicPrefix, table.Source))],
        FenceTopic = EmbeddedLog.TopicOf(definition.Log.TopicPrefix, FenceTable.Name),
        Client = definition.Log.Client,
        LaneBytes = definition.Apply.LaneBytes,
        TotalBytes = definition.Apply.TotalBytes,
        BatchChanges = definition.Apply.BatchChanges,
        BatchBytes = definition.Apply.BatchBytes,
        MaxRecordBytes = definition.Apply.MaxRecordBytes,
        OnPoison = definition.Apply.OnPoison,
        Writers = definition.Apply.Writers,
        DrainTimeout = definition.Apply.DrainTimeout,
        Incarnation = embedded?.Incarnation,
    };
}

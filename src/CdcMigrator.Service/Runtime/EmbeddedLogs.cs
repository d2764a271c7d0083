using CdcMigrator.Connect;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Embedded;

namespace CdcMigrator.Service.Runtime;

/// <summary>What the embedded log of a direction reads, and where its state is.</summary>
internal static class EmbeddedLogs
{
    public static EmbeddedLogOptions Of(MigrationDefinition definition, Func<CancellationToken, Task<IReadOnlyList<LaneProgress>>> readProgress, TimeProvider time, ILoggerFactory loggers) => new()
    {
        Migration = definition.Name,
        SourceConnection = definition.Source.Connection,
        TargetConnection = definition.Target.Connection,
        Tables = definition.Tables,
        TopicPrefix = definition.Log.TopicPrefix,
        ReadProgress = readProgress,
        Start = definition.Direction == MigrationDirection.Forward ? EmbeddedLogStart.Snapshot : EmbeddedLogStart.Passive,
        SlotName = ConnectorNames.Slot(definition.LogName),
        Time = time,
        LoggerFactory = loggers,
    };
}

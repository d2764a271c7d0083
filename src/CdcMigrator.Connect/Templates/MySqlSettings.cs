using System.Globalization;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Connect.Templates;

/// <summary>Debezium's MariaDB and MySQL connectors, which share nearly all settings.</summary>
internal static class MySqlSettings
{
    public const string MariaDbClass = "io.debezium.connector.mariadb.MariaDbConnector";
    public const string MySqlClass = "io.debezium.connector.mysql.MySqlConnector";

    public static void Write(OrderedDictionary<string, string> settings, MigrationDefinition definition, SourceAddress source, ConnectorTemplateOptions options)
    {
        if (definition.Log.BootstrapServers.Length == 0)
        {
            throw new FaultException(
                FaultKind.Configuration, "no-bootstrap-servers", "log.bootstrapServers is empty; the connector keeps the source's schema history in Kafka", "Set log.bootstrapServers");
        }

        settings["connector.class"] = definition.Source.Kind == SourceKind.MariaDb ? MariaDbClass : MySqlClass;
        settings["tasks.max"] = "1";
        source.Write(settings, options.PasswordReference);
        settings["database.server.id"] = ConnectorNames.ServerId(definition.LogName).ToString(CultureInfo.InvariantCulture);
        if (source.SslMode is { } ssl)
        {
            settings["database.ssl.mode"] = ssl;
        }

        settings["topic.prefix"] = definition.Log.TopicPrefix;
        settings["database.include.list"] = string.Join(',', definition.Tables.Select(table => table.Source.Schema)
            .Append(ConnectorNames.FenceTable.Schema).Distinct().Select(ConnectorTemplate.Escape));
        settings["table.include.list"] = ConnectorTemplate.Captured(definition);
        settings["schema.history.internal.kafka.bootstrap.servers"] = definition.Log.BootstrapServers;
        settings["schema.history.internal.kafka.topic"] = $"{definition.Log.TopicPrefix}-schema-history";
        settings["schema.history.internal.store.only.captured.tables.ddl"] = "true";
        settings["schema.history.internal.skip.unparseable.ddl"] = "true";
        settings["include.schema.changes"] = "true";
        settings["snapshot.mode"] = "initial";
        settings["skipped.operations"] = "none";
        settings["tombstones.on.delete"] = "true";
        settings["event.processing.failure.handling.mode"] = "fail";
        settings["event.converting.failure.handling.mode"] = "fail";
        settings["inconsistent.schema.handling.mode"] = "fail";
        settings["decimal.handling.mode"] = "string";
        settings["bigint.unsigned.handling.mode"] = "precise";
        settings["time.precision.mode"] = "microseconds";
        settings["enable.time.adjuster"] = "false";
        settings["binary.handling.mode"] = "bytes";
        settings["poll.interval.ms"] = "50";
        settings["heartbeat.interval.ms"] = "200";
    }
}

using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Connect.Templates;

/// <summary>Debezium's PostgreSQL connector.</summary>
internal static class PostgresSettings
{
    public const string ConnectorClass = "io.debezium.connector.postgresql.PostgresConnector";

    /// <summary>
    /// Says with each heartbeat which history the records belong to. Needs no privilege but the table's: both functions are open to
    /// everyone. The timeline is taken from the WAL being written, because the control file learns of a promotion only at the next checkpoint.
    /// </summary>
    public const string HeartbeatQuery =
        "insert into cdc_migrator.fence(id, v) "
        + "select '" + ConnectorNames.HeartbeatRow + "', system_identifier::text || '/' || ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int "
        + "from pg_control_system() on conflict (id) do update set v = excluded.v";

    public static void Write(OrderedDictionary<string, string> settings, MigrationDefinition definition, SourceAddress source, ConnectorTemplateOptions options)
    {
        settings["connector.class"] = ConnectorClass;
        settings["tasks.max"] = "1";
        source.Write(settings, options.PasswordReference);
        settings["database.dbname"] = source.Database;
        if (source.SslMode is { } ssl)
        {
            settings["database.sslmode"] = ssl;
        }

        settings["topic.prefix"] = definition.Log.TopicPrefix;
        settings["plugin.name"] = "pgoutput";
        settings["slot.name"] = ConnectorNames.Slot(definition.LogName);
        settings["publication.name"] = ConnectorNames.Publication(definition.LogName);
        settings["publication.autocreate.mode"] = "filtered";
        settings["publish.via.partition.root"] = "true";
        settings["table.include.list"] = ConnectorTemplate.Captured(definition, ConnectorNames.SignalTable);
        if (definition.Tables.SelectMany(table => table.Reselect.Select(column => ConnectorTemplate.Pattern(table.Source, column))).ToList() is { Count: > 0 } reselected)
        {
            settings["column.exclude.list"] = string.Join(',', reselected);
        }

        settings["snapshot.mode"] = definition.Direction == MigrationDirection.Forward ? "initial" : "no_data";
        settings["signal.data.collection"] = ConnectorNames.SignalTable.ToString();
        settings["incremental.snapshot.chunk.size"] = "8192";
        settings["incremental.snapshot.watermarking.strategy"] = "insert_delete";
        settings["skipped.operations"] = "none";
        settings["tombstones.on.delete"] = "true";
        settings["unavailable.value.placeholder"] = ConnectorNames.Placeholder(definition.LogName);
        settings["event.processing.failure.handling.mode"] = "fail";
        settings["event.converting.failure.handling.mode"] = "warn";
        settings["include.unknown.datatypes"] = "true";
        settings["decimal.handling.mode"] = "string";
        settings["time.precision.mode"] = "microseconds";
        settings["interval.handling.mode"] = "string";
        settings["binary.handling.mode"] = "bytes";
        settings["hstore.handling.mode"] = "json";
        settings["poll.interval.ms"] = "50";
        settings["heartbeat.interval.ms"] = "200";
        settings["heartbeat.action.query"] = HeartbeatQuery;
    }
}

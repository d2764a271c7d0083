using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Connect.Checks;

/// <summary>Settings of the PostgreSQL connector.</summary>
internal static class PostgresRules
{
    public static IReadOnlyList<SettingRule> All { get; } =
    [
        new("plugin.name", "decoderbufs", ["pgoutput"], Severity.Error, "only records of pgoutput are known to be faithful"),
        new("publication.autocreate.mode", "all_tables", ["filtered", "disabled"], Severity.Error,
            "all_tables publishes every table, and updates of a table without a key then fail on the source itself; no_tables publishes none"),
        new("publish.via.partition.root", "false", ["true"], Severity.Warning, "changes of partitioned tables arrive under their partitions' names, in topics that are not read"),
        new("event.converting.failure.handling.mode", "warn", ["warn"], Severity.Warning,
            "the connector stops, and cannot be made to go on, at the first value it cannot convert (unchanged TOAST of many types, arrays with NaN, composite[], bit[]); "
            + "under warn such a value arrives as NULL, which is recognised and read from the source again") { IsFine = value => value is not "fail" },
        new("event.converting.failure.handling.mode", "warn", ["warn"], Severity.Warning, "values the connector cannot convert leave no trace in its log") { IsFine = value => value is not "skip" },
        new("include.unknown.datatypes", "false", ["true"], Severity.Warning,
            "columns of types Debezium does not know (composites, multiranges, lines, …) are missing from the events; they are read from the source again, row by row"),
        new("unavailable.value.placeholder", "__debezium_unavailable_value", ["__cdcm_unavailable_ and 16 random characters"], Severity.Warning,
            "a column that holds this very text cannot be told from an unchanged TOAST value")
        {
            IsFine = value => value is not "__debezium_unavailable_value",
        },
        new("decimal.handling.mode", "precise", ["string"], Severity.Warning,
            "NaN and infinite numerics arrive as NULL, so that rows with a NULL are read from the source again, and the scale of a numeric without one is lost (1.10 arrives as 1.1)")
        {
            IsFine = value => value is not "precise",
        },
        new("decimal.handling.mode", "precise", ["string"], Severity.Warning, "numeric values lose digits, so that they are read from the source again, row by row") { IsFine = value => value is "string" or "precise" },
        new("binary.handling.mode", "bytes", ["bytes", "hex"], Severity.Warning, "an unchanged binary TOAST value arrives as NULL, so that rows with a NULL are read from the source again"),
        new("interval.handling.mode", "numeric", ["string"], Severity.Warning,
            "months and days of an interval are folded into microseconds; each such value is read from the source again, row by row"),
        new("hstore.handling.mode", "json", ["json", "map"], Severity.Error, "hstore values cannot be read"),
        new("lsn.flush.mode", "connector", ["connector", "connector_and_driver"], Severity.Error, "nothing confirms the slot, so the source keeps its WAL until its disk is full"),
        new("flush.lsn.source", "true", ["true"], Severity.Error, "nothing confirms the slot, so the source keeps its WAL until its disk is full"),
        new("slot.drop.on.stop", "false", ["false"], Severity.Error, "changes made while the connector is stopped are lost"),
        new("read.only", "false", ["false"], Severity.Warning, "the heartbeat query cannot write on a standby, and a comparison under live writes needs the primary"),
    ];
}

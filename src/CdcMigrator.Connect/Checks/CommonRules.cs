using System.Globalization;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Connect.Checks;

/// <summary>Settings every Debezium source shares.</summary>
internal static class CommonRules
{
    public static IReadOnlyList<SettingRule> All { get; } =
    [
        new("event.processing.failure.handling.mode", "fail", ["fail"], Severity.Error, "an event that cannot be processed is left out instead of stopping the connector"),
        new("errors.tolerance", "none", ["none"], Severity.Error, "records that cannot be converted or sent are dropped"),
        new("skipped.operations", "t", ["none"], Severity.Error, "the operations it lists never reach the target; by default a TRUNCATE of the source is lost"),
        new("heartbeat.interval.ms", "0", ["200"], Severity.Error,
            "without heartbeats the slot never confirms the last commit of an idle source, so no drain can be proven and the source keeps its WAL")
        {
            IsFine = value => Milliseconds(value) is > 0 and <= 10_000,
        },
        new("poll.interval.ms", "500", ["50"], Severity.Warning, "a marker becomes visible only after that long, which lengthens the write outage of the cutover")
        {
            IsFine = value => Milliseconds(value) is >= 0 and <= 500,
        },
        new("time.precision.mode", "adaptive", ["microseconds", "adaptive", "adaptive_time_microseconds"], Severity.Error,
            "times lose their microseconds (connect), 24:00, infinite and BC values (isostring), years outside 1677 to 2262 (nanoseconds), or come in a form that is not read (structured)"),
        new("snapshot.mode", "initial", ["initial"], Severity.Warning, "rows that exist before the connector starts may not be sent, or be sent again at each start")
        {
            IsFine = value => value.ToLowerInvariant() is "initial" or "when_needed" or "initial_only",
        },
        new("snapshot.mode", "initial", ["initial"], Severity.Error, "the connector stops after the snapshot and streams no change") { IsFine = value => value is not "initial_only" },
        new("snapshot.isolation.mode", "", ["serializable", "repeatable_read", "snapshot", ""], Severity.Error, "the snapshot is no consistent state of the source"),
        new("header.converter", "org.apache.kafka.connect.storage.SimpleHeaderConverter",
            ["org.apache.kafka.connect.storage.SimpleHeaderConverter", Templates.ConverterSettings.JsonConverter], Severity.Error,
            "the headers that join the halves of a key change cannot be read"),
        new("topic.delimiter", ".", ["."], Severity.Error, "topics are not named prefix.schema.table, where the service looks for them"),
        new("topic.naming.strategy", "io.debezium.schema.SchemaTopicNamingStrategy",
            ["io.debezium.schema.SchemaTopicNamingStrategy", "io.debezium.schema.DefaultTopicNamingStrategy"], Severity.Error,
            "topics are not named prefix.schema.table, where the service looks for them"),
        new("exactly.once.support", "requested", ["requested"], Severity.Warning,
            "the connector writes Kafka transactions, which add latency and known faults; repeats are recognised without them") { IsFine = value => value is not "required" },
        new("producer.override.acks", "all", ["all", "-1"], Severity.Error, "a broker that dies takes acknowledged records with it"),
        new("topic.creation.default.cleanup.policy", "delete", ["delete"], Severity.Error, "compaction removes changes that were not applied yet"),
    ];

    private static long? Milliseconds(string value) =>
        long.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;
}

using System.Globalization;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Service.Configuration;

/// <summary>Every key of a migration file. The loader refuses what is not here, and reads nothing that is not here.</summary>
public static class MigrationKeys
{
    private const string Required = "required";
    internal static readonly ConnectSection Connect = new(new Uri("http://localhost"), "");
    private static readonly ApplySection Apply = new();
    private static readonly VerifySection Verify = new();
    private static readonly CutoverSection Cutover = new();

    /// <summary>All keys, in the order in which documentation shows them.</summary>
    public static IReadOnlyList<MigrationKey> All { get; } =
    [
        new("migration", "name", Required, "Name of the migration: letters, digits, - and _, at most 40. Progress in the target is kept under it."),

        new("source", "section", Required, "The database that is left."),
        new("source.kind", "postgresql | mariadb | mysql", "postgresql", "Its engine."),
        new("source.connection", "connection string", Required, "Npgsql connection string (PostgreSQL; its primary: where several hosts are named, Target Session Attributes=primary) or MySqlConnector's (MariaDB, MySQL)."),

        new("target", "section", Required, "The PostgreSQL that is moved to."),
        new("target.connection", "connection string", Required, "Npgsql connection string."),

        new("log", "section", Required, "What carries changes. `log: embedded` is short for a section with that kind."),
        new("log.kind", "kafka | embedded", "kafka", "Kafka fed by Debezium, or an in-process log read from the source's replication slot."),
        new("log.bootstrapServers", "host:port,…", "required for kafka", "Kafka bootstrap servers."),
        new("log.topicPrefix", "text", "the migration's name", "Debezium's topic.prefix: topics are prefix.schema.table, with _ for what Kafka does not allow in a name; no two tables may share one."),
        new("log.format", "json | avro", "json", "How keys and values are serialised. JSON with and without schemas is told apart by itself."),
        new("log.schemaRegistry", "URL", "required for avro", "Confluent-compatible schema registry."),
        new("log.group", "text", "cdcm- and the migration's name", "Consumer group. Processes of one group share the partitions."),
        new("log.settings", "map of text", "", "Connector settings that decide what values mean, wanted where connect is absent."),
        new("log.client", "map of text", "", "Settings passed to librdkafka as they are: TLS, SASL, …"),

        new("connect", "section", "", "Kafka Connect, so that its connector can be registered, checked and watched."),
        new("connect.url", "URL", Required, "Base address of its REST API."),
        new("connect.connector", "text", Required, "Name of the source connector."),
        new("connect.stalledAfter", "duration", Durations.Format(Connect.StalledAfter), "How long a connector that says it runs may make no progress before that is a fault. Longer than the workers' offset.flush.interval.ms."),
        new("connect.maxRestarts", "integer", Text(Connect.MaxRestarts), "How often in a row the service restarts a connector that has failed, later each time; beyond it a person has to. 0: never."),

        new("tables", "list", Required, "Tables to move. An entry is a name, or a section with the keys below."),
        new("tables[].source", "schema.table", Required, "Table in the source."),
        new("tables[].target", "schema.table", "the source's name", "Table in the target."),
        new("tables[].exclude", "list of text", "", "Source columns that are not migrated."),
        new("tables[].reselect", "list of text", "", "Source columns never taken from events but always read from the source by key (docs/types.md); PostgreSQL sources."),
        new("tables[].rename", "map of text", "", "Source column to target column, where names differ."),
        new("tables[].columns", "map of sections", "", "Columns of MariaDB and MySQL sources whose values are to be mapped, by source column, with the keys below (docs/types-mariadb.md)."),
        new("tables[].columns.*.as", "PostgreSQL type", "any that fits", "The type the target's column must have: `boolean`, `text[]`, `uuid`, …; another halts the table's lanes."),
        new("tables[].columns.*.zeroDate", "null | epoch | -infinity | refuse | YYYY-MM-DD", "null, or refuse if the target is NOT NULL", "What becomes of 0000-00-00. epoch is 1970-01-01."),
        new("tables[].columns.*.partialDate", "null | first | epoch | -infinity | refuse | YYYY-MM-DD", "null, or refuse if the target is NOT NULL", "What becomes of dates like 2024-00-10. first makes a month or day of zero the first."),
        new("tables[].columns.*.nulCharacter", "refuse | strip | replace", "refuse", "What becomes of U+0000 in text and in the strings of JSON. replace puts U+FFFD in its place."),
        new("tables[].columns.*.nonBoolean", "refuse | true", "refuse", "What becomes of numbers but 0 and 1 of a tinyint that goes to a boolean."),
        new("tables[].columns.*.uuidFormat", "binary16 | timeSwapBinary16 | littleEndianBinary16", "binary16", "How a binary(16) holds a uuid: in the order of its text, as uuid_to_bin(…, 1) writes it, or as .NET's Guid does."),
        new("tables[].columns.*.labels", "map of text", "", "Labels of an enum or members of a set, source to target, where names differ."),
        new("tables[].keyless", "false | true", "false", "The table has no key and its source REPLICA IDENTITY FULL: one physical row a change, found by all of its columns."),
        new("tables[].onePartition", "false | true", "true if keyless", "The table's topic has one partition: one lane, and a TRUNCATE of the source can be applied."),

        new("rules", "list", "", "Pairs of queries whose single values must agree on both sides."),
        new("rules[].name", "text", Required, "Name in reports."),
        new("rules[].source", "SQL", Required, "Query for the source."),
        new("rules[].target", "SQL", Required, "Query for the target."),
        new("rules[].tolerance", "number", "0", "Largest allowed absolute difference."),

        new("benchmarks", "list", "", "Queries of the application whose speed the target must have: `cdcm benchmark` runs them on both sides, and the gate wants its results."),
        new("benchmarks[].name", "text", Required, "Name in reports."),
        new("benchmarks[].sql", "SQL", Required, "One SELECT, with values in the place of parameters."),
        new("benchmarks[].target", "SQL", "the query of sql", "The query for the target, where it is another there."),
        new("benchmarks[].runs", "integer", Text(Benchmark.DefaultRuns), "How often it is timed on each side."),
        new("benchmarks[].maxRatio", "number", Benchmark.DefaultRatio.ToString(CultureInfo.InvariantCulture), "How many times the source's time the target may take, at the median and at the 95th percentile."),

        new("apply", "section", "", "How changes are applied."),
        new("apply.writers", "integer", Text(Apply.Writers), "Connections that write to the target, in one process."),
        new("apply.batchChanges", "integer", Text(Apply.BatchChanges), "Most changes of one transaction and lane."),
        new("apply.batchBytes", "size", Sizes.Format(Apply.BatchBytes), "Most bytes of values of one transaction and lane."),
        new("apply.laneBytes", "size", Sizes.Format(Apply.LaneBytes), "Most bytes of undecoded records a lane holds before its partition is paused."),
        new("apply.totalBytes", "size", Sizes.Format(Apply.TotalBytes), "Bytes of records that all lanes of a process together hold, fetched and not applied, beyond which partitions are paused."),
        new("apply.maxRecordBytes", "size", Sizes.Format(Apply.MaxRecordBytes), "Largest record accepted; a larger one can never be applied."),
        new("apply.takeoverTimeout", "duration", Durations.Format(Apply.TakeoverTimeout), "How long a claim waits for the former owner before its backend is terminated."),
        new("apply.uniqueWait", "duration", Durations.Format(Apply.UniqueWait), "How long a change may wait for a unique value that another lane has yet to free."),
        new("apply.drainTimeout", "duration", Durations.Format(Apply.DrainTimeout), "How long a graceful stop waits for batches in flight."),
        new("apply.onPoison", "halt | deadLetter", "halt", "What becomes of a record that can never be applied: its lane halts, or the record and all later ones of its row are parked."),
        new("apply.deadLetterCount", "integer", Text(Apply.DeadLetterCount), "Most dead letters of the migration; at the bound lanes halt instead of parking more."),
        new("apply.deadLetterBytes", "size", Sizes.Format(Apply.DeadLetterBytes), "Most bytes of all dead letters of the migration."),

        new("verify", "section", "", "How gently both sides are compared, and how often the checks beside it are made."),
        new("verify.chunkTime", "duration", Durations.Format(Verify.ChunkTime), "How long reading a chunk of rows should take on the slower side."),
        new("verify.tablesAtOnce", "integer", Text(Verify.TablesAtOnce), "Tables that are compared at the same time."),
        new("verify.dirtyKeys", "integer", Text(Verify.DirtyKeys), "Most changed keys remembered a table, about 200 bytes each; beyond it only a full pass verifies the table."),
        new("verify.pauseAboveLag", "duration", Durations.Format(Verify.PauseAboveLag), "Lag of the lanes above which full passes wait."),
        new("verify.checkInterval", "duration", Durations.Format(Verify.CheckInterval), "How often counts, rules, constraints, schemas and sequences are checked; less often where a check takes long."),
        new("verify.ruleTimeout", "duration", Durations.Format(Verify.RuleTimeout), "Longest time of one query of a rule."),
        new("verify.countTolerance", "number", Text(Verify.CountTolerance), "Percent of a table's rows that may be on their way before that is a warning. What is not on its way is an error, whatever this says."),
        new("verify.sampleAbove", "integer", Text(Verify.SampleAbove), "Tables with more rows than this are sampled between full passes."),
        new("verify.sampleConfidence", "number", Text(Verify.SampleConfidence), "Percent of samples that find a wrong row where as many are wrong as sampleErrorRate says."),
        new("verify.sampleErrorRate", "number", Text(Verify.SampleErrorRate), "Percent of wrong rows that a sample is to find."),

        new("cutover", "section", "", "Limits of the cutover, and what moves applications."),
        new("cutover.maxLag", "duration", Durations.Format(Cutover.MaxLag), "Most lag at which a cutover may begin."),
        new("cutover.budget", "duration", Durations.Format(Cutover.Budget), "Longest predicted write outage, 99 in 100 cutovers; above it an attempt is refused."),
        new("cutover.verifiedWithin", "duration", Durations.Format(Cutover.VerifiedWithin), "How long ago the last full comparison may have begun."),
        new("cutover.appRoles", "list of text", "", "Roles of the application, for the probe write behind the fence."),
        new("cutover.rollbackWindow", "duration", Durations.Format(Cutover.RollbackWindow), "How long the way back is kept open."),
        new("cutover.requireReverse", "true | false", "true for postgresql", "A cutover whose way back would not work is refused, by name, when the sides are prepared and before the source is left (`way-back`). With `false` it goes without one where that does not work: then nobody can go back. MariaDB and MySQL sources have none."),
        new("cutover.lease", "duration", Durations.Format(Cutover.Lease), "How long writes stay denied, before the point of no return, once the process that denied them falls silent; any other process then allows them again."),
        new("cutover.lockTimeout", "duration", Durations.Format(Cutover.LockTimeout), "How long one attempt to deny writes waits for the tables' locks; writers wait behind it so long. Twice that, a renewal and 2s have to fit into the lease (8.3s with 30s)."),
        new("cutover.sequenceMargin", "integer", Text(Cutover.SequenceMargin), "Values of each sequence left free between the old side's last and the new side's first."),
        new("cutover.deadlines", "section", "", "How long each step before the point of no return may take; beyond it all is undone."),
        new("cutover.deadlines.preparing", "duration", Durations.Format(Cutover.Deadlines.Preparing), "All that is done while applications write."),
        new("cutover.deadlines.fencing", "duration", Durations.Format(Cutover.Deadlines.Fencing), "Attempts to get the tables' locks."),
        new("cutover.deadlines.draining", "duration", Durations.Format(Cutover.Deadlines.Draining), "Until all that was written before is on the other side."),
        new("cutover.deadlines.finalVerify", "duration", Durations.Format(Cutover.Deadlines.FinalVerify), "Until every key that changed is found equal."),
        new("cutover.deadlines.reverseArmed", "duration", Durations.Format(Cutover.Deadlines.ReverseArmed), "Until the way back is known to begin at the right place."),
        new("cutover.route", "section", "", "What moves applications (below)."),
        new("cutover.route.pgbouncer", "list", "", "PgBouncers: paused before writes are denied, reloaded and resumed on the new side, resumed if the cutover is undone."),
        new("cutover.route.pgbouncer[].connection", "connection string", Required, "Npgsql connection string of the admin console; port 6432 and database pgbouncer where it does not say."),
        new("cutover.route.pgbouncer[].databases", "list of text", Required, "Databases as PgBouncer calls them."),
        new("cutover.route.pgbouncer[].timeout", "duration", Durations.Format(RoutingHook.DefaultTimeout), "How long pausing, or resuming, may take."),
        new("cutover.route.beforeFence", "list of hooks", "", "Hooks run before writes are denied; one that fails undoes the cutover."),
        new("cutover.route.afterOpen", "list of hooks", "", "Hooks run once the new side takes writes; one that fails is repeated until it succeeds."),
        new("cutover.route.onAbort", "list of hooks", "", "Hooks run once a cutover was undone."),
        new("cutover.route.*[].name", "text", Required, "Name in journal and messages."),
        new("cutover.route.*[].command", "list of text", "", "A program and its arguments, run without a shell. Exit code 0 is success. A hook has a command or an http."),
        new("cutover.route.*[].env", "map of text", "", "Environment variables of the command, beside the service's own and those of the cutover."),
        new("cutover.route.*[].http", "URL", "", "Address of a request; redirects are not followed."),
        new("cutover.route.*[].method", "POST | GET | PUT | PATCH | DELETE", "POST", "Its method."),
        new("cutover.route.*[].headers", "map of text", "", "Its header fields."),
        new("cutover.route.*[].body", "text", "the cutover as JSON", "Its body."),
        new("cutover.route.*[].status", "list of integers", "any 2xx", "Status codes that are success."),
        new("cutover.route.*[].timeout", "duration", Durations.Format(RoutingHook.DefaultTimeout), "After it the hook has failed; the command and all it started are killed."),

        new("service", "section", "", "The service's HTTP endpoint."),
        new("service.url", "URL", new ServiceSection().Url.ToString().TrimEnd('/'), "Address to listen on; port 0 lets the system choose."),
    ];

    /// <summary>Names of the keys directly inside a section; the top level is the empty path.</summary>
    public static IReadOnlyList<string> NamesIn(string section) => [.. All.Where(key => key.Section == section).Select(key => key.Name)];

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}

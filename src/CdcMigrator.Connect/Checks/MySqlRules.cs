using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Connect.Checks;

/// <summary>Settings of the MariaDB and MySQL connectors.</summary>
internal static class MySqlRules
{
    public static IReadOnlyList<SettingRule> All { get; } =
    [
        new("event.converting.failure.handling.mode", "warn", ["fail"], Severity.Error, "a value that cannot be converted is published as NULL instead of stopping the connector"),
        new("decimal.handling.mode", "precise", ["string", "precise"], Severity.Error, "numeric values lose digits"),
        new("binary.handling.mode", "bytes", ["bytes", "hex"], Severity.Error, "binary values come in a form that may not be read"),
        new("bigint.unsigned.handling.mode", "long", ["precise"], Severity.Error, "unsigned bigints from 2^63 on arrive as negative numbers"),
        new("enable.time.adjuster", "true", ["false"], Severity.Error, "years 0 to 99 become 1970 to 2069: 0001-01-01 arrives as 2001-01-01"),
        new("event.deserialization.failure.handling.mode", "fail", ["fail"], Severity.Error, "a binlog event that cannot be read is left out"),
        new("inconsistent.schema.handling.mode", "fail", ["fail"], Severity.Error, "changes of a table whose columns are not known are left out"),
        new("snapshot.locking.mode", "minimal", ["minimal", "minimal_percona", "minimal_percona_no_table_locks", "extended"], Severity.Warning,
            "DDL during the snapshot can make it inconsistent"),
        new("schema.history.internal.store.only.captured.tables.ddl", "false", ["true"], Severity.Warning,
            "an inet4 or inet6 column in any other table stops the connector"),
    ];
}

using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Checks;

/// <summary>A tool that evolves schemas, and how its own table is read, in SQL that PostgreSQL, MariaDB and MySQL share.</summary>
/// <param name="Name">Its name.</param>
/// <param name="TableName">Name of its table, in lower case.</param>
/// <param name="Columns">Version, checksum, and one of <c>ok</c>, <c>failed</c>, <c>gone</c>, <c>baseline</c>.</param>
/// <param name="Order">Its columns in the order of applying.</param>
public sealed record HistoryTool(string Name, string TableName, string Columns, string Order)
{
    /// <summary>Those that are known.</summary>
    public static IReadOnlyList<HistoryTool> All { get; } =
    [
        new("Flyway", "flyway_schema_history",
            "coalesce(version, concat('repeatable ', description)), checksum, case when type in ('UNDO_SQL', 'DELETE', 'SCHEMA') then 'gone' when type = 'BASELINE' then 'baseline' when success then 'ok' else 'failed' end",
            "installed_rank"),
        new("Liquibase", "databasechangelog", "concat(id, '::', author, '::', filename), md5sum, case when exectype = 'FAILED' then 'failed' else 'ok' end", "orderexecuted"),
        new("Prisma", "_prisma_migrations",
            "migration_name, checksum, case when rolled_back_at is not null then 'gone' when finished_at is null then 'failed' else 'ok' end", "started_at"),
        new("Alembic", "alembic_version", "version_num, null, 'ok'", "version_num"),
    ];

    /// <summary>Reads its table.</summary>
    /// <param name="table">The table's name as SQL.</param>
    public string Sql(string table) => $"select {Columns} from {table} order by {Order}";

    /// <summary>What its rows say; a later one of a version replaces the earlier.</summary>
    /// <param name="table">Its table.</param>
    /// <param name="rows">Version, checksum and state of each row, in order.</param>
    public HistoryFact Of(TableName table, IEnumerable<(string Version, string? Checksum, string State)> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var versions = new Dictionary<string, string?>(StringComparer.Ordinal);
        var failed = new HashSet<string>(StringComparer.Ordinal);
        string? baseline = null;
        foreach (var (version, checksum, state) in rows)
        {
            failed.Remove(version);
            versions.Remove(version);
            switch (state)
            {
                case "ok":
                    versions[version] = checksum;
                    break;
                case "failed":
                    failed.Add(version);
                    break;
                case "baseline":
                    baseline = version;
                    break;
            }
        }

        return new HistoryFact(Name, table, versions, [.. failed.Order(StringComparer.Ordinal)]) { Baseline = baseline };
    }
}

using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>What a survey says of the server beyond preflight: what its log keeps, who holds it back, and what is not a table.</summary>
internal static class ServerAudit
{
    private const double LongTransactionSeconds = 300;
    private const double WraparoundWarning = 1_000_000_000;
    private const double WraparoundError = 1_900_000_000;

    private static readonly string[] Settings =
    [
        "wal_level", "max_slot_wal_keep_size", "max_replication_slots", "max_wal_senders", "wal_sender_timeout", "server_encoding", "TimeZone", "autovacuum_freeze_max_age",
    ];

    private const string Facts = """
        select current_setting('server_version_num')::int, current_setting('server_version'), current_database()::text, pg_catalog.pg_database_size(current_database()),
            current_setting('server_encoding') = 'UTF8',
            greatest(1, extract(epoch from pg_catalog.now() - coalesce((select stats_reset from pg_catalog.pg_stat_database where datname = current_database()), pg_catalog.pg_postmaster_start_time())))::float8,
            (select pg_catalog.age(datfrozenxid)::float8 from pg_catalog.pg_database where datname = current_database()),
            (select pg_catalog.mxid_age(datminmxid)::float8 from pg_catalog.pg_database where datname = current_database()),
            (select (tup_inserted + tup_updated + tup_deleted)::float8 from pg_catalog.pg_stat_database where datname = current_database()),
            array(select name || '=' || setting || coalesce(unit, '') from pg_catalog.pg_settings where name = any($1) order by name)
        """;

    public static async Task<(ServerFacts Facts, IReadOnlyList<Finding> Findings)> ReadAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        ServerFacts facts;
        await using (var command = database.CreateCommand(Facts))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = Settings });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var settings = reader.GetFieldValue<string[]>(9).Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
            facts = new ServerFacts(reader.GetInt32(0), reader.GetBoolean(4), reader.GetDouble(5),
                new SourceProfile("postgresql", reader.GetString(1), reader.GetString(2)) { Bytes = reader.GetInt64(3), WritesPerSecond = Math.Round(reader.GetDouble(8) / reader.GetDouble(5), 3), Settings = settings });
            findings.AddRange(Wraparound("transaction", reader.GetDouble(6)));
            findings.AddRange(Wraparound("multixact", reader.GetDouble(7)));
            findings.AddRange(Retention(settings));
        }

        if (facts.Version >= 140000)
        {
            var rate = await ScalarAsync(database, "select (wal_bytes / greatest(1, extract(epoch from now() - stats_reset)))::float8 from pg_catalog.pg_stat_wal", cancellationToken);
            facts = facts with { Profile = facts.Profile with { LogBytesPerSecond = rate is double bytes ? Math.Round(bytes) : null } };
        }

        findings.AddRange(await SlotsAsync(database, facts.Version, cancellationToken));
        findings.AddRange(await TransactionsAsync(database, cancellationToken));
        findings.AddRange(await CollationAsync(database, facts.Version, cancellationToken));
        return (facts, findings);
    }

    /// <summary>Names and versions of extensions, with a finding for those besides plpgsql.</summary>
    public static async Task<(IReadOnlyList<string> Extensions, IReadOnlyList<Finding> Findings)> ExtensionsAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var extensions = await TextsAsync(database, "select extname || ' ' || extversion from pg_catalog.pg_extension order by 1", cancellationToken);
        var own = extensions.Where(extension => !extension.StartsWith("plpgsql ", StringComparison.Ordinal)).ToList();
        return (extensions, own.Count == 0 ? [] : [new(Severity.Info, "extensions", $"The source uses extensions: {string.Join(", ", own)}", "Create those the schema needs in the target; pg_available_extensions there says which it has")]);
    }

    /// <summary>What lies beside the tables of the file, in their schemas: other tables, foreign tables, materialized views.</summary>
    public static async Task<IReadOnlyList<Finding>> BesideAsync(NpgsqlDataSource database, IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        await using var command = database.CreateCommand("""
            select c.relkind, n.nspname::text, c.relname::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname = any($1) and c.relkind in ('r', 'p', 'f', 'm') and not c.relispartition and c.relpersistence <> 't'
                and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e') order by 1, 2, 3
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Schema).Distinct().ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<(char Kind, TableName Name)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add((reader.GetChar(0), new TableName(reader.GetString(1), reader.GetString(2))));
        }

        foreach (var (_, name) in found.Where(entry => entry.Kind == 'f'))
        {
            var isWanted = tables.Contains(name);
            findings.Add(new Finding(isWanted ? Severity.Error : Severity.Info, "foreign-table", $"{name} is a foreign table: its rows are elsewhere and their changes are not in this server's log",
                isWanted ? "Take it out of 'tables:', and create it in the target with its server" : "Create it in the target with its server, where it is needed")
            { Table = name.ToString() });
        }

        var views = found.Where(entry => entry.Kind == 'm').Select(entry => entry.Name.ToString()).ToList();
        if (views.Count > 0)
        {
            findings.Add(new(Severity.Info, "materialized-views", $"Materialized views: {string.Join(", ", views)}", "Refresh them in the target after the cutover"));
        }

        var left = found.Where(entry => entry.Kind is 'r' or 'p' && !tables.Contains(entry.Name)).Select(entry => entry.Name.ToString()).ToList();
        if (left.Count > 0)
        {
            findings.Add(new(Severity.Warning, "not-migrated", $"The migration file does not name {left.Count} tables of the same schemas: {string.Join(", ", left.Take(20))}{(left.Count > 20 ? ", …" : "")}", "Add them to 'tables:', unless they are to stay behind"));
        }

        return findings;
    }

    private static IEnumerable<Finding> Wraparound(string what, double age)
    {
        if (age > WraparoundWarning)
        {
            yield return new(age > WraparoundError ? Severity.Error : Severity.Warning, "wraparound", string.Create(CultureInfo.InvariantCulture, $"The oldest {what} id of the database is {age:N0} old; the server stops writes at 2,146,483,647"),
                "VACUUM (FREEZE) the oldest tables first: an anti-wraparound vacuum would stand in the cutover's way");
        }
    }

    private static IEnumerable<Finding> Retention(Dictionary<string, string> settings)
    {
        if (settings.GetValueOrDefault("max_slot_wal_keep_size") is not { } text)
        {
            yield return new(Severity.Info, "wal-unlimited", "The source is older than max_slot_wal_keep_size: a slot that is not read fills its disk", "Watch free space while the slot exists");
        }
        else if (text.StartsWith('-'))
        {
            yield return new(Severity.Warning, "wal-unlimited", "max_slot_wal_keep_size is unlimited: a slot that is not read fills the source's disk", "Watch free space; or set it to what the disk can spare, which loses the slot instead (copy the tables again then)");
        }
        else if (long.TryParse(text.TrimEnd('M', 'B'), CultureInfo.InvariantCulture, out var megabytes) && megabytes < 10 * 1024)
        {
            yield return new(Severity.Warning, "wal-limit", $"max_slot_wal_keep_size is {text}: a connector that stands for longer than that much WAL loses its slot, and all tables have to be copied again", "Raise it for the time of the migration");
        }
    }

    private static async Task<IReadOnlyList<Finding>> SlotsAsync(NpgsqlDataSource database, int version, CancellationToken cancellationToken)
    {
        var lost = version >= 130000 ? "coalesce(wal_status, '') = 'lost'" : "false";
        var slots = await TextsAsync(database, $"""
            select slot_name || case when {lost} then ' (lost)' else ' (holds ' || pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(
                case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn() else pg_catalog.pg_current_wal_lsn() end, restart_lsn)) || ')' end
            from pg_catalog.pg_replication_slots where not active and restart_lsn is not null order by 1
            """, cancellationToken);
        return slots.Count == 0 ? [] : [new(Severity.Warning, "inactive-slots", $"Replication slots that nobody reads keep WAL and dead rows: {string.Join(", ", slots)}", "SELECT pg_drop_replication_slot('…') for those nobody needs")];
    }

    private static async Task<IReadOnlyList<Finding>> TransactionsAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var open = await TextsAsync(database, string.Create(CultureInfo.InvariantCulture, $"""
            select 'process ' || pid || coalesce(' of ' || usename, '') || ' since ' || to_char(xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || 'Z'
            from pg_catalog.pg_stat_activity where xact_start < pg_catalog.now() - interval '{LongTransactionSeconds:0} s' and backend_type = 'client backend' and pid <> pg_catalog.pg_backend_pid() order by xact_start
            """), cancellationToken);
        return open.Count == 0 ? [] : [new(Severity.Warning, "long-transactions", $"Transactions are open for more than 5 minutes: {string.Join(", ", open)}. A slot is not made, and a fence not closed, before those that write have ended", "End them before the connector is registered, and before the cutover")];
    }

    private static async Task<IReadOnlyList<Finding>> CollationAsync(NpgsqlDataSource database, int version, CancellationToken cancellationToken)
    {
        if (version < 150000)
        {
            return [];
        }

        var differs = await TextsAsync(database, """
            select datcollversion || ' (now ' || pg_catalog.pg_database_collation_actual_version(oid) || ')' from pg_catalog.pg_database
            where datname = current_database() and datcollversion <> pg_catalog.pg_database_collation_actual_version(oid)
            """, cancellationToken);
        return differs.Count == 0 ? [] : [new(Severity.Warning, "collation-version", $"The database was made under collation version {differs[0]}: its indexes of text may be wrong", "REINDEX, then ALTER DATABASE … REFRESH COLLATION VERSION; before that a unique key may hold equal texts twice")];
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<List<string>> TextsAsync(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var texts = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            texts.Add(reader.GetString(0));
        }

        return texts;
    }
}

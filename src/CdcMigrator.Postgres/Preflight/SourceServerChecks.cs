using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using Npgsql;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Whether the source server can be read from its log.</summary>
internal static class SourceServerChecks
{
    private const string Facts = """
        select current_setting('server_version_num')::int, current_setting('server_version'), pg_catalog.pg_is_in_recovery(), current_setting('wal_level'),
            (select rolreplication or rolsuper from pg_catalog.pg_roles where rolname = current_user)
                or coalesce((select pg_catalog.pg_has_role(oid, 'member') from pg_catalog.pg_roles where rolname = 'rds_replication'), false),
            (select count(*) from pg_catalog.pg_replication_slots)::int, current_setting('max_replication_slots')::int,
            (select count(*) from pg_catalog.pg_stat_replication)::int, current_setting('max_wal_senders')::int,
            (select count(*) from pg_catalog.pg_prepared_xacts where database = pg_catalog.current_database())::int,
            current_setting('server_encoding'), (select count(*) from (select from pg_catalog.pg_largeobject_metadata limit 1) l)::int, current_user::text
        """;

    public static async Task<IReadOnlyList<Finding>> CheckAsync(NpgsqlDataSource source, LogKind log, SideWords sides, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(Facts);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var findings = new List<Finding> { new(Severity.Info, "source-version", $"The {sides.Read} is PostgreSQL {reader.GetString(1)}") };
        if (reader.GetInt32(0) < 120000)
        {
            findings.Add(new(Severity.Error, "source-version", $"The {sides.Read} is PostgreSQL {reader.GetString(1)}; 12 is the oldest supported", $"Upgrade the {sides.Read} first"));
        }

        if (reader.GetBoolean(2))
        {
            findings.Add(new(Severity.Error, "source-standby", $"The {sides.Read} is a standby: it may lack rows the log already has, and a fence on it means nothing", "Connect to the primary"));
        }

        if (reader.GetString(3) != "logical")
        {
            findings.Add(new(Severity.Error, "wal-level", $"The {sides.Read}'s wal_level is {reader.GetString(3)}", "ALTER SYSTEM SET wal_level = 'logical', then restart the server"));
        }

        if (!reader.GetBoolean(4))
        {
            findings.Add(new(log == LogKind.Embedded ? Severity.Error : Severity.Warning, "replication-attribute",
                $"Role {reader.GetString(12)} has no REPLICATION attribute{(log == LogKind.Kafka ? "; the connector's role needs it" : "")}",
                $"ALTER ROLE \"{reader.GetString(12)}\" REPLICATION"));
        }

        if (reader.GetInt32(5) >= reader.GetInt32(6))
        {
            findings.Add(new(Severity.Warning, "slots", $"All {reader.GetInt32(6)} replication slots of the {sides.Read} are in use; a new one cannot be made",
                "Drop a slot that is not needed, or raise max_replication_slots"));
        }

        if (reader.GetInt32(7) >= reader.GetInt32(8))
        {
            findings.Add(new(Severity.Warning, "wal-senders", $"All {reader.GetInt32(8)} WAL senders of the {sides.Read} are in use", "Raise max_wal_senders"));
        }

        if (reader.GetInt32(9) > 0)
        {
            findings.Add(new(Severity.Warning, "prepared-transactions",
                $"{reader.GetInt32(9)} prepared transactions are open in the {sides.Read}: they can commit behind a fence's back, so the fence waits for them",
                "COMMIT PREPARED or ROLLBACK PREPARED what is left over (pg_prepared_xacts)"));
        }

        if (reader.GetString(10) == "SQL_ASCII")
        {
            findings.Add(new(Severity.Error, "source-encoding", $"The {sides.Read}'s encoding is SQL_ASCII: what its bytes mean is not known", "Move it to a database with a real encoding first"));
        }

        if (reader.GetInt32(11) > 0)
        {
            findings.Add(new(Severity.Warning, "large-objects", $"The {sides.Read} holds large objects, which are not part of any table's changes", "Copy them yourself (pg_dump --large-objects), behind the fence"));
        }

        return findings;
    }
}

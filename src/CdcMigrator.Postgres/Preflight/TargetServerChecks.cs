using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Whether changes can be written to the target.</summary>
internal static class TargetServerChecks
{
    private const string Facts = """
        select current_setting('server_version_num')::int, current_setting('server_version'), pg_catalog.pg_is_in_recovery(), current_setting('default_transaction_read_only'),
            current_setting('server_encoding'),
            case when exists (select from pg_catalog.pg_namespace where nspname = 'cdc_migrator')
                then pg_catalog.has_schema_privilege((select oid from pg_catalog.pg_namespace where nspname = 'cdc_migrator'), 'CREATE')
                else pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') end,
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP'), pg_catalog.current_database()::text, current_user::text
        """;

    public static async Task<IReadOnlyList<Finding>> CheckAsync(NpgsqlDataSource target, string connectionString, SideWords sides, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        await using (var command = target.CreateCommand(Facts))
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var (database, role) = (reader.GetString(7), reader.GetString(8));
            findings.Add(new(Severity.Info, "target-version", $"The {sides.Written} is PostgreSQL {reader.GetString(1)}"));
            if (reader.GetInt32(0) < 130000)
            {
                findings.Add(new(Severity.Error, "target-version", $"The {sides.Written} is PostgreSQL {reader.GetString(1)}; 13 is the oldest supported", "Use a newer target"));
            }

            if (reader.GetBoolean(2) || reader.GetString(3) == "on")
            {
                findings.Add(new(Severity.Error, "target-read-only", $"The {sides.Written} does not accept writes",
                    reader.GetBoolean(2) ? "Connect to the primary" : $"ALTER ROLE \"{role}\" IN DATABASE \"{database}\" SET default_transaction_read_only = off"));
            }

            if (reader.GetString(4) != "UTF8")
            {
                findings.Add(new(sides == SideWords.Forward ? Severity.Error : Severity.Warning, "target-encoding", $"The {sides.Written}'s encoding is {reader.GetString(4)}: it cannot hold every character", $"Create the {sides.Written} database with ENCODING 'UTF8'"));
            }

            if (!reader.GetBoolean(5))
            {
                findings.Add(new(Severity.Error, "control-schema", $"Role {role} may not create schema cdc_migrator in {database}", $"GRANT CREATE ON DATABASE \"{database}\" TO \"{role}\""));
            }

            if (!reader.GetBoolean(6))
            {
                findings.Add(new(Severity.Error, "temporary-tables", $"Role {role} may not create temporary tables in {database}", $"GRANT TEMPORARY ON DATABASE \"{database}\" TO \"{role}\""));
            }
        }

        try
        {
            await using var apply = PostgresConnections.CreateApply(connectionString);
            await using var session = await apply.OpenConnectionAsync(cancellationToken);
        }
        catch (FaultException fault)
        {
            findings.Add(new(Severity.Error, fault.Fault.Code, $"In the {sides.Written}: {fault.Fault.Message}", fault.Fault.Fix));
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            var fault = PostgresFaults.Classify(exception);
            findings.Add(new(Severity.Error, fault.Code, $"An apply session cannot be opened: {fault.Message}", fault.Fix));
        }

        return findings;
    }

    /// <summary>Rows the migration did not write would stay beside those it writes.</summary>
    public static async Task<IReadOnlyList<Finding>> CheckRowsAsync(
        NpgsqlDataSource target, MigrationDefinition definition, IReadOnlyDictionary<TableName, CatalogTable> tables, CancellationToken cancellationToken)
    {
        if (await HasProgressAsync(target, definition.Name, cancellationToken))
        {
            return [];
        }

        var findings = new List<Finding>();
        foreach (var table in tables.Values.Where(table => table.Kind is 'r' or 'p' && !table.LacksRights.Contains("SELECT") && !table.RowSecurityApplies))
        {
            await using var command = target.CreateCommand($"select exists (select from {table.Name.Sql})");
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
            {
                findings.Add(new(Severity.Warning, "target-not-empty", $"{table.Name} holds rows already; those the source does not have will stay", $"TRUNCATE {table.Name.Sql} unless they belong there")
                {
                    Table = definition.Tables.First(mapping => mapping.Target == table.Name).Source.ToString(),
                });
            }
        }

        return findings;
    }

    private static async Task<bool> HasProgressAsync(NpgsqlDataSource target, string migration, CancellationToken cancellationToken)
    {
        await using (var exists = target.CreateCommand("select pg_catalog.to_regclass('cdc_migrator.progress') is not null"))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return false;
            }
        }

        await using var command = target.CreateCommand("select exists (select from cdc_migrator.progress where migration = $1)");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}

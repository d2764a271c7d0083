using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Connections;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Preflight;

/// <summary>Looks at a MariaDB or MySQL source, and at its tables against those they go to. Reads only; may be run any time.</summary>
public static class MariaDbPreflight
{
    /// <summary>Everything found.</summary>
    /// <exception cref="FaultException">The source cannot be reached or refuses the login.</exception>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(MigrationDefinition definition, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var findings = new List<Finding>();
        try
        {
            await using var source = MariaDbConnections.Create(definition.Source.Connection);
            await using var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            findings.AddRange(await SourceServerChecks.CheckAsync(connection, cancellationToken));
            var tables = await SourceCatalog.ReadAsync(connection, definition.Tables.Select(table => table.Source), cancellationToken);
            await using var target = PostgresConnections.CreateControl(definition.Target.Connection);
            foreach (var mapping in definition.Tables)
            {
                var of = tables.GetValueOrDefault(mapping.Source) is not { IsTable: true } table
                    ? [new Finding(Severity.Error, "missing-table", $"The source has no table {mapping.Source}", "Correct 'tables:' in the migration file: database.table")]
                    : await OfTableAsync(connection, table, target, mapping, cancellationToken);
                findings.AddRange(of.Select(finding => finding with { Table = mapping.Source.ToString() }));
            }
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }

        return findings;
    }

    private static async Task<IReadOnlyList<Finding>> OfTableAsync(
        MySqlConnection connection, SourceTable table, Npgsql.NpgsqlDataSource target, Domain.Tables.TableMapping mapping, CancellationToken cancellationToken)
    {
        try
        {
            var routes = await TargetCatalog.LoadAsync(target, [mapping], cancellationToken);
            var route = routes.All.Single();
            return [.. TableChecks.Check(table, route), .. await ValueChecks.CheckAsync(connection, table, route, cancellationToken)];
        }
        catch (FaultException fault)
        {
            return [new Finding(Severity.Error, fault.Fault.Code, fault.Fault.Message, fault.Fault.Fix)];
        }
    }
}

using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Looks at both databases before a migration starts. Reads only; may be run any time, also while the migration runs.</summary>
public static class PostgresPreflight
{
    /// <summary>
    /// Everything found on the source (where it is PostgreSQL), on the target and between them, errors first. A side that cannot be reached is
    /// a finding too, and the checks that need it are left out.
    /// </summary>
    /// <param name="definition">The migration.</param>
    /// <param name="carriage">What events carry of a type; null for a log that carries PostgreSQL's own text.</param>
    /// <param name="looksAtValues">Whether values are looked at where types do not tell: up to a minute.</param>
    /// <param name="cancellationToken">Stops the checks.</param>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        MigrationDefinition definition, Func<ColumnType, Carriage>? carriage, bool looksAtValues, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var sides = SideWords.Of(definition.Direction);
        var findings = new List<Finding>();
        var target = await ReadAsync(definition.Target.Connection, sides.Written, findings, async database =>
        {
            findings.AddRange(await TargetServerChecks.CheckAsync(database, definition.Target.Connection, sides, cancellationToken));
            var tables = await CatalogReader.ReadAsync(database, [.. definition.Tables.Select(table => table.Target).Distinct()], cancellationToken);
            findings.AddRange(definition.Direction == MigrationDirection.Forward ? await TargetServerChecks.CheckRowsAsync(database, definition, tables, cancellationToken) : []);
            return tables;
        });
        if (definition.Source.Kind == SourceKind.PostgreSql)
        {
            var source = await ReadAsync(definition.Source.Connection, sides.Read, findings, async database =>
            {
                findings.AddRange(await SourceServerChecks.CheckAsync(database, definition.Log.Kind, sides, cancellationToken));
                var tables = await CatalogReader.ReadAsync(database, [.. definition.Tables.Select(table => table.Source).Distinct()], cancellationToken);
                if (carriage is not null && looksAtValues)
                {
                    findings.AddRange(await ValueChecks.CheckAsync(database, definition, tables, carriage, cancellationToken));
                }

                return tables;
            });
            foreach (var mapping in source is null || target is null ? [] : definition.Tables)
            {
                findings.AddRange(TableChecks.Check(mapping, source!.GetValueOrDefault(mapping.Source), target!.GetValueOrDefault(mapping.Target), carriage, sides));
            }
        }

        return [.. findings.OrderByDescending(finding => finding.Severity)];
    }

    /// <summary>Whether the service may see which session reads the connector's slot. Nothing where the source does not answer: that is found by the other checks.</summary>
    /// <param name="definition">The migration.</param>
    /// <param name="role">The role the connector logs in as, as far as its settings say.</param>
    /// <param name="slot">Its slot.</param>
    /// <param name="cancellationToken">Stops the check.</param>
    public static async Task<IReadOnlyList<Finding>> CheckSlotReaderAsync(MigrationDefinition definition, string? role, string slot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var sides = SideWords.Of(definition.Direction);
        return await ReadAsync(definition.Source.Connection, sides.Read, [], database => SlotReaderCheck.CheckAsync(database, role, slot, sides, cancellationToken)) ?? [];
    }

    private static async Task<T?> ReadAsync<T>(string connection, string side, List<Finding> findings, Func<NpgsqlDataSource, Task<T>> check)
        where T : class
    {
        try
        {
            await using var database = PostgresConnections.CreateControl(connection);
            return await check(database);
        }
        catch (Exception exception) when (exception is FaultException || PostgresFaults.IsOfServer(exception))
        {
            var fault = PostgresFaults.Classify(exception);
            findings.Add(new Finding(Severity.Error, $"{side}-{fault.Code}", $"The {side}: {fault.Message}", fault.Fix)
            {
                Unreachable = fault.Kind is FaultKind.Unreachable or FaultKind.Transient,
            });
            return null;
        }
    }
}

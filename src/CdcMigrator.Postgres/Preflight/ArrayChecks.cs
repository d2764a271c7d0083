using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using Npgsql;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Arrays whose shape Debezium loses without a trace: several dimensions, or a lower bound other than 1. Types do not tell, so values are looked at.</summary>
internal static class ArrayChecks
{
    private const string Constraint = "ALTER TABLE {0} ADD CHECK (array_ndims({1}) = 1 AND array_lower({1}, 1) = 1) NOT VALID for the duration";

    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        NpgsqlDataSource source, MigrationDefinition definition, IReadOnlyDictionary<TableName, CatalogTable> tables, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var mapping in definition.Tables.Where(mapping => tables.TryGetValue(mapping.Source, out var table) && !table.LacksRights.Contains("SELECT")))
        {
            foreach (var column in tables[mapping.Source].Columns.Where(column => column.Column.Type.Kind == ColumnKind.Array && !mapping.Exclude.Contains(column.Column.Name)))
            {
                if (await CheckColumnAsync(source, mapping.Source, column.Column.Name, cancellationToken) is { } finding)
                {
                    findings.Add(finding with { Table = mapping.Source.ToString(), Column = column.Column.Name });
                }
            }
        }

        return findings;
    }

    private static async Task<Finding?> CheckColumnAsync(NpgsqlDataSource source, TableName table, string column, CancellationToken cancellationToken)
    {
        var name = TableName.Quote(column);
        var fix = Constraint.Replace("{0}", table.Sql, StringComparison.Ordinal).Replace("{1}", name, StringComparison.Ordinal);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand($"""
            set local statement_timeout = '10s'; select exists (select from {table.Sql} where pg_catalog.array_ndims({name}) > 1 or pg_catalog.array_lower({name}, 1) <> 1)
            """, connection);
        try
        {
            return await command.ExecuteScalarAsync(cancellationToken) is true
                ? new Finding(Severity.Error, "array-shape", $"Column {column} of {table} holds arrays of several dimensions or with a lower bound other than 1, whose shape events do not carry", "Exclude the column, or store such arrays as jsonb")
                : null;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            return new Finding(Severity.Warning, "array-shape", $"Whether column {column} of {table} holds arrays of several dimensions was not decided in 10 s; events do not carry their shape", fix);
        }
    }
}

using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>What checks beside the comparison of rows read in the same snapshot.</summary>
internal sealed partial class MariaDbSnapshot
{
    private const int EdgeRows = 25;
    private const int StatementTimeout = 1969;

    /// <inheritdoc />
    public async Task<ChunkDigest> CountAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken)
    {
        if (keys is not null)
        {
            return new ChunkDigest((await HashesAsync(table, keys, cancellationToken)).Count, 0);
        }

        try
        {
            await using var command = new MySqlCommand($"select count(*) from {MariaDbConnections.Sql(table.Source)}", connection) { CommandTimeout = 0 };
            return new ChunkDigest(Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture), 0);
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<RowKey>> SampleAsync(ComparedTable table, int rows, CancellationToken cancellationToken)
    {
        if (table.IsKeyless)
        {
            return [];
        }

        var values = MariaDbComparedTables.ValuesOf(table);
        var key = table.Key.Select(ordinal => values[ordinal]).ToList();
        var columns = string.Join(", ", key.Select(column => column.Sql));
        var share = table.EstimatedRows <= rows ? 1 : Math.Min(1, 2.0 * rows / table.EstimatedRows);
        var keys = new HashSet<RowKey>();
        foreach (var rest in new[]
        {
            $"where rand() < {share.ToString("0.############", CultureInfo.InvariantCulture)} limit {rows}",
            $"order by {string.Join(", ", key.Select(column => column.Name))} limit {EdgeRows}",
            $"order by {string.Join(", ", key.Select(column => $"{column.Name} desc"))} limit {EdgeRows}",
        })
        {
            await QueryAsync(
                table, $"select {columns} from {MariaDbConnections.Sql(table.Source)} t {rest}", key, table.Key, row => keys.Add(new RowKey([.. row.ToArray().Select(value => value!)])), cancellationToken);
        }

        return [.. keys];
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<IReadOnlyList<string?>>> QueryAsync(string sql, int most, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sql);
        try
        {
            await ExecuteAsync(connection, $"set session max_statement_time = {timeout.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)}", cancellationToken);
            await using var command = new MySqlCommand($"select * from ({sql.TrimEnd().TrimEnd(';')}\n) as rule limit {most + 1}", connection) { CommandTimeout = 0 };
            var rows = new List<IReadOnlyList<string?>>();
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))]);
                }
            }

            await ExecuteAsync(connection, "set session max_statement_time = 0", cancellationToken);
            return rows;
        }
        catch (MySqlException exception)
        {
            throw exception.Number == StatementTimeout
                ? new FaultException(new Fault(FaultKind.Transient, "rule-timeout", $"The query took longer than {timeout.TotalSeconds:0} s", "Make it cheaper, or raise verify.ruleTimeout"), exception)
                : MariaDbFaults.Classify(exception) is { Kind: FaultKind.Configuration }
                    ? new FaultException(new Fault(FaultKind.Configuration, "rule-refused", $"{exception.Number}: {exception.Message}", "Correct the query, or grant the role what it reads"), exception)
                    : MariaDbFaults.ToException(exception);
        }
    }
}

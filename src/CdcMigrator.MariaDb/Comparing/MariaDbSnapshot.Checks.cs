using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using CdcMigrator.Postgres.Comparing;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>What checks beside the comparison of rows read in the same snapshot.</summary>
internal sealed partial class MariaDbSnapshot
{
    private const int EdgeRows = 25;
    private const int LeastDrawn = 50_000;
    private const int StatementTimeout = 1969;

    /// <inheritdoc />
    public async Task<ChunkDigest> CountAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken)
    {
        if (table.SumsKeys)
        {
            var key = MariaDbComparedTables.KeyOf(table);
            return keys is null ? await DigestAsync(key, KeyRange.All, cancellationToken) : RowHashes.Sum(await HashesAsync(key, keys, cancellationToken));
        }

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
    public async Task<IReadOnlyList<SampledKey>> SampleAsync(ComparedTable table, int rows, CancellationToken cancellationToken)
    {
        if (table.IsKeyless)
        {
            return [];
        }

        var values = MariaDbComparedTables.ValuesOf(table);
        var key = table.Key.Select(ordinal => values[ordinal]).ToList();
        var columns = string.Join(", ", key.Select(column => column.Sql));
        var from = $"{MariaDbConnections.Sql(table.Source)} t";
        var sampled = values.Select(value => value.Sampled).ToList();

        // More than wanted, to find odd ones among them; the table is read to its end, so that none is left out because of where it lies.
        var drawn = Math.Max(2L * rows, LeastDrawn);
        var share = table.EstimatedRows <= drawn ? 1 : (double)drawn / table.EstimatedRows;
        var picked = new SampledRows(sampled.Count);
        await QueryAsync(
            table,
            $"select {columns}, {string.Join(", ", sampled.Select(value => $"{value.Size}, {value.Order}, {value.Edge}"))} from {from} where rand() < {share.ToString("0.############", CultureInfo.InvariantCulture)}",
            reader => picked.Add(Key(table, key, reader), reader, key.Count), cancellationToken);
        HashSet<SampledKey> keys = [.. picked.Pick(rows)];
        foreach (var way in new[] { "", " desc" })
        {
            await AddAsync(SampleStratum.KeyEnds, $"{from} order by {string.Join(", ", key.Select(column => $"{column.Name}{way}"))} limit {EdgeRows}");
            foreach (var name in await LeadingAsync(table.Source, cancellationToken))
            {
                if (values.FirstOrDefault(value => value.Sampled.IsOrdered && value.Name == $"t.{MariaDbConnections.Quote(name)}") is { } leading)
                {
                    await AddAsync(SampleStratum.EdgeValues, $"{from} where {leading.Name} is not null order by {leading.Name}{way} limit 1");
                }
            }
        }

        return [.. keys];

        Task AddAsync(SampleStratum stratum, string rest) =>
            QueryAsync(table, $"select {columns} from {rest}", reader => keys.Add(new SampledKey(stratum, Key(table, key, reader))), cancellationToken);
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
            throw exception.Number == TableDefinitionChanged
                ? new FaultException(new Fault(FaultKind.Transient, "table-rewritten", "A table of the source was truncated or rebuilt after the snapshot was taken", "It is asked again"), exception)
                : exception.Number == StatementTimeout
                ? new FaultException(new Fault(FaultKind.Transient, "rule-timeout", $"The query took longer than {timeout.TotalSeconds:0} s", "Make it cheaper, or raise verify.ruleTimeout"), exception)
                : MariaDbFaults.Classify(exception) is { Kind: FaultKind.Configuration }
                    ? new FaultException(new Fault(FaultKind.Configuration, "rule-refused", $"{exception.Number}: {exception.Message}", "Correct the query, or grant the role what it reads"), exception)
                    : MariaDbFaults.ToException(exception);
        }
    }

    private static RowKey Key(ComparedTable table, IReadOnlyList<ComparedValue> key, MySqlDataReader reader) =>
        new([.. key.Select((value, i) => CanonicalText.Of(table.Columns[table.Key[i]].Form, value.Read(reader, i)!))]);

    /// <summary>Columns with which an index begins, so that the least and greatest value are found at once.</summary>
    private async Task<IReadOnlyList<string>> LeadingAsync(TableName table, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new MySqlCommand(
                "select distinct column_name from information_schema.statistics where table_schema = @schema and table_name = @name and seq_in_index = 1 and index_type = 'BTREE' and sub_part is null", connection);
            command.Parameters.AddWithValue("@schema", table.Schema);
            command.Parameters.AddWithValue("@name", table.Name);
            var names = new List<string>();
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                names.Add(reader.GetString(0));
            }

            return names;
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }
}

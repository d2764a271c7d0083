using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>What checks beside the comparison of rows read in the same snapshot.</summary>
internal abstract partial class PostgresSnapshot
{
    private const int EdgeRows = 25;

    /// <summary>Above so many rows a sample reads some blocks, not some rows of all blocks.</summary>
    private const long RowsReadForSample = 20_000_000;

    /// <inheritdoc />
    public Task<ChunkDigest> CountAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken) => ReadAsync(table, async sql =>
    {
        var sum = table.Hashing == HashPlace.Database && !table.IsKeyless ? $"sum({sql.KeyHash})::text" : "null::text";
        if (keys is null)
        {
            return await CountAsync($"select count(*), {sum} from {sql.From}", new NpgsqlCommand { Connection = Connection });
        }

        var counted = default(ChunkDigest);
        foreach (var part in keys.Chunk(KeysOfStatement))
        {
            var command = new NpgsqlCommand { Connection = Connection };
            var found = await CountAsync($"select count(*), {sum} from {sql.FromKeys(part, command.Parameters)}", command);
            counted = new ChunkDigest(counted.Rows + found.Rows, counted.Sum + found.Sum);
        }

        return counted;

        async Task<ChunkDigest> CountAsync(string text, NpgsqlCommand command)
        {
            await using (command)
            {
                command.CommandText = text;
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                await reader.ReadAsync(cancellationToken);
                return Digest(reader, 0);
            }
        }
    }, cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<RowKey>> SampleAsync(ComparedTable table, int rows, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<RowKey>>(table, async sql =>
        {
            if (table.IsKeyless)
            {
                return [];
            }

            // Twice as many as wanted, for what is drawn varies; then some of them at random, so that none is left out because of where it lies.
            var method = table.EstimatedRows > RowsReadForSample ? "system" : "bernoulli";
            var percent = table.EstimatedRows <= rows ? 100 : Math.Min(100, 200.0 * rows / table.EstimatedRows);
            var key = string.Join(", ", sql.Key);
            var keys = new HashSet<RowKey>();
            await ReadKeysAsync($"select {key} from {sql.From} tablesample {method} ({percent.ToString("0.##########", CultureInfo.InvariantCulture)}) order by pg_catalog.random() limit {rows}", keys);
            if (table.Order == ChunkOrder.KeyRanges)
            {
                await ReadKeysAsync($"select {key} from {sql.From} order by {sql.Sorted} limit {EdgeRows}", keys);
                await ReadKeysAsync($"select {key} from {sql.From} order by {string.Join(", ", sql.Sorted.Split(", ").Select(column => $"{column} desc"))} limit {EdgeRows}", keys);
            }

            return [.. keys];
        }, cancellationToken);

    /// <inheritdoc />
    public async Task<IReadOnlyList<IReadOnlyList<string?>>> QueryAsync(string sql, int most, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sql);
        try
        {
            // The role's own search path and plans; in brackets it is one query, whatever it holds.
            await using (var settings = new NpgsqlCommand(
                $"set local search_path to default; set local enable_seqscan to default; set local statement_timeout = {(long)timeout.TotalMilliseconds}", Connection))
            {
                await settings.ExecuteNonQueryAsync(cancellationToken);
            }

            await using var command = new NpgsqlCommand($"select * from ({sql.TrimEnd().TrimEnd(';')}\n) as rule limit {most + 1}", Connection) { AllResultTypesAreUnknown = true };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<IReadOnlyList<string?>>();
            while (await reader.ReadAsync(cancellationToken))
            {
                rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetString(i))]);
            }

            return rows;
        }
        catch (PostgresException exception)
        {
            throw exception.SqlState == PostgresErrorCodes.QueryCanceled
                ? new FaultException(new Fault(FaultKind.Transient, "rule-timeout", $"The query took longer than {timeout.TotalSeconds:0} s", "Make it cheaper, or raise verify.ruleTimeout"), exception)
                : new FaultException(new Fault(FaultKind.Configuration, "rule-refused", $"{exception.SqlState}: {exception.MessageText}", "Correct the query, or grant the role what it reads"), exception);
        }
        catch (NpgsqlException exception)
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private async Task ReadKeysAsync(string text, HashSet<RowKey> keys)
    {
        await using var command = new NpgsqlCommand(text, Connection) { AllResultTypesAreUnknown = true };
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            keys.Add(new RowKey([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)]));
        }
    }
}

using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>What checks beside the comparison of rows read in the same snapshot.</summary>
internal abstract partial class PostgresSnapshot
{
    /// <inheritdoc />
    public Task<ChunkDigest> CountAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken) =>
        table is { Hashing: HashPlace.Here, SumsKeys: true } ? CountKeysAsync(table.OfKey, keys, cancellationToken) : CountInDatabaseAsync(table, keys, cancellationToken);

    /// <summary>Where the servers do not hash alike keys are hashed here, by what hashes rows.</summary>
    private async Task<ChunkDigest> CountKeysAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken) =>
        keys is null ? await DigestAsync(table, KeyRange.All, cancellationToken) : RowHashes.Sum(await HashesAsync(table, keys, cancellationToken));

    private Task<ChunkDigest> CountInDatabaseAsync(ComparedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken) => ReadAsync(table, async sql =>
    {
        var sum = !table.SumsKeys ? "null::text" : $"sum({sql.KeyHash})::text";
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
    public Task<IReadOnlyList<SampledKey>> SampleAsync(ComparedTable table, int rows, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<SampledKey>>(table, async sql =>
        {
            if (table.IsKeyless)
            {
                return [];
            }

            var keys = new HashSet<SampledKey>();
            foreach (var statement in SampleSql.Of(table, sql, await ReadColumnsAsync(table, sql, cancellationToken), rows))
            {
                await using var command = new NpgsqlCommand(statement, Connection) { AllResultTypesAreUnknown = true };
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken))
                {
                    var stratum = (SampleStratum)int.Parse(reader.GetString(0), CultureInfo.InvariantCulture);
                    keys.Add(new SampledKey(stratum, new RowKey([.. Enumerable.Range(1, table.Key.Count).Select(reader.GetString)])));
                }
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

            await reader.CloseAsync();
            await RefuseRewrittenAsync(cancellationToken);
            return rows;
        }
        catch (PostgresException exception)
        {
            throw exception.SqlState == PostgresErrorCodes.QueryCanceled
                ? new FaultException(new Fault(FaultKind.Transient, "rule-timeout", $"The query took longer than {timeout.TotalSeconds:0} s", "Make it cheaper, or raise verify.ruleTimeout"), exception)
                : new FaultException(new Fault(FaultKind.Configuration, "rule-refused", $"{exception.SqlState}: {exception.MessageText}", "Correct the query, or grant the role what it reads"), exception);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>
    /// Whatever tables a query named, it has them locked by now: one that was truncated or rewritten between the snapshot and that lock was not read as the snapshot shows it.
    /// </summary>
    private async Task RefuseRewrittenAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select pg_catalog.format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_locks l join pg_catalog.pg_class c on c.oid = l.relation join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where l.locktype = 'relation' and l.pid = pg_catalog.pg_backend_pid() and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
                and c.relkind in ('r', 'm') and c.relfilenode <> 0 and c.relfilenode is distinct from pg_catalog.pg_relation_filenode(c.oid) limit 1
            """,
            Connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is string table)
        {
            throw new FaultException(FaultKind.Transient, "table-rewritten", $"{Side} {table} was truncated or rewritten after the snapshot was taken", "It is asked again");
        }
    }

    /// <summary>The compared columns as this side's catalog has them, in hashing order.</summary>
    private async Task<IReadOnlyList<SampledColumn>> ReadColumnsAsync(ComparedTable table, RowSql sql, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, SampledColumn>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(SampledColumn.Catalog, Connection) { Parameters = { new NpgsqlParameter { Value = sql.Name.Sql } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found[reader.GetString(0)] = new SampledColumn(reader.GetString(0), reader.GetString(1), reader.GetChar(2), reader.GetBoolean(3), reader.GetBoolean(4));
        }

        return [.. table.Columns.Select(column => found.GetValueOrDefault(ofSource ? column.Source : column.Target)).OfType<SampledColumn>()];
    }
}

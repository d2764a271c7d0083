using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Benchmarking;

/// <summary>Queries on a PostgreSQL side, in one session, each in a read-only transaction with a limit of time.</summary>
public sealed class PostgresReads : IReadSide
{
    private const string Counters = """
        select coalesce(string_agg(c.oid::text || ':' || coalesce(s.n_tup_ins, 0) || ':' || coalesce(s.n_tup_upd, 0) || ':' || coalesce(s.n_tup_del, 0) || ':' || pg_catalog.pg_relation_filenode(c.oid), ',' order by c.oid), '')
        from unnest($1::text[], $2::text[]) as w(s, r) join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r
        left join pg_catalog.pg_stat_all_tables s on s.relid = c.oid
        """;

    private const string Roots = """
        select distinct n.nspname::text, c.relname::text from unnest($1::text[], $2::text[]) as w(s, r)
        join pg_catalog.pg_namespace wn on wn.nspname = w.s join pg_catalog.pg_class wc on wc.relnamespace = wn.oid and wc.relname = w.r
        join pg_catalog.pg_class c on c.oid in (wc.oid, coalesce(pg_catalog.pg_partition_root(wc.oid), wc.oid)) join pg_catalog.pg_namespace n on n.oid = c.relnamespace order by 1, 2
        """;

    private readonly NpgsqlDataSource database;
    private readonly NpgsqlConnection connection;
    private readonly TimeSpan limit;

    private PostgresReads(NpgsqlDataSource database, NpgsqlConnection connection, TimeSpan limit)
    {
        this.database = database;
        this.connection = connection;
        this.limit = limit;
    }

    /// <summary>Connects.</summary>
    /// <param name="connectionString">The side's.</param>
    /// <param name="limit">Longest time of one query.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FaultException">The side does not answer, or refuses the login.</exception>
    public static async Task<PostgresReads> OpenAsync(string connectionString, TimeSpan limit, CancellationToken cancellationToken)
    {
        var database = PostgresConnections.CreateBenchmark(connectionString);
        try
        {
            return new PostgresReads(database, await database.OpenConnectionAsync(cancellationToken), limit);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            await database.DisposeAsync();
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <inheritdoc />
    public Task<double> RunAsync(string sql, ResultDigester? digester, CancellationToken cancellationToken) => InTransactionAsync(async () =>
    {
        var started = Stopwatch.GetTimestamp();
        await using var command = new NpgsqlCommand(Trimmed(sql), connection) { AllResultTypesAreUnknown = true };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var values = new string?[reader.FieldCount];
        while (await reader.ReadAsync(cancellationToken))
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = reader.IsDBNull(i) ? null : reader.GetString(i);
            }

            digester?.Add(values);
        }

        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }, cancellationToken);

    /// <inheritdoc />
    public async Task<string> ReadPlaceAsync(string sql, CancellationToken cancellationToken)
    {
        var tables = await ReadTablesAsync(sql, cancellationToken);
        return await InTransactionAsync(async () =>
        {
            await using var command = new NpgsqlCommand(Counters, connection);
            command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Schema).ToArray() });
            command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Name).ToArray() });
            return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
        }, cancellationToken);
    }

    /// <summary>Tables a query reads, as its plan says; partitions with their roots.</summary>
    /// <exception cref="FaultException">Configuration, <c>query</c>: the side refuses the query.</exception>
    public Task<IReadOnlyList<TableName>> ReadTablesAsync(string sql, CancellationToken cancellationToken) => InTransactionAsync(async () =>
    {
        var tables = new SortedSet<TableName>();
        await using (var command = new NpgsqlCommand($"explain (format json, verbose) {Trimmed(sql)}", connection) { AllResultTypesAreUnknown = true })
        {
            using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(cancellationToken))!);
            Collect(plan.RootElement, tables);
        }

        await using var roots = new NpgsqlCommand(Roots, connection);
        roots.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Schema).ToArray() });
        roots.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Name).ToArray() });
        await using var reader = await roots.ExecuteReaderAsync(cancellationToken);
        var names = new List<TableName>();
        while (await reader.ReadAsync(cancellationToken))
        {
            names.Add(new TableName(reader.GetString(0), reader.GetString(1)));
        }

        return (IReadOnlyList<TableName>)names;
    }, cancellationToken);

    /// <summary>The statements that took the most time in this database, as <c>pg_stat_statements</c> keeps them: with parameters for values. Null without that extension.</summary>
    public async Task<IReadOnlyList<string>?> ReadTopAsync(int most, CancellationToken cancellationToken)
    {
        return await InTransactionAsync(async () =>
        {
            await using var where = new NpgsqlCommand("""
                select pg_catalog.quote_ident(n.nspname), exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
                    where c.relnamespace = n.oid and c.relname = 'pg_stat_statements' and a.attname = 'total_exec_time')
                from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'
                """, connection);
            string sql;
            await using (var reader = await where.ExecuteReaderAsync(cancellationToken))
            {
                if (!await reader.ReadAsync(cancellationToken))
                {
                    return null;
                }

                sql = TopStatements(reader.GetString(0), reader.GetBoolean(1) ? "total_exec_time" : "total_time");
            }

            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.Add(new NpgsqlParameter { Value = most });
            await using var statements = await command.ExecuteReaderAsync(cancellationToken);
            var found = new List<string>();
            while (await statements.ReadAsync(cancellationToken))
            {
                found.Add(statements.GetString(0));
            }

            return (IReadOnlyList<string>)found;
        }, cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        await database.DisposeAsync();
    }

    private static string TopStatements(string schema, string time) => $"""
        select s.query from {schema}.pg_stat_statements s
        where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) and s.query ~* '^\s*(select|with)\y'
        group by s.query order by sum(s.{time}) desc limit $1
        """;

    private static string Trimmed(string sql) => sql.Trim().TrimEnd(';');

    private static void Collect(JsonElement element, SortedSet<TableName> tables)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
            {
                Collect(item, tables);
            }
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            if (element.TryGetProperty("Relation Name", out var name) && element.TryGetProperty("Schema", out var schema))
            {
                tables.Add(new TableName(schema.GetString()!, name.GetString()!));
            }

            foreach (var property in element.EnumerateObject())
            {
                Collect(property.Value, tables);
            }
        }
    }

    private async Task<T> InTransactionAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using (var settings = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture, $"set transaction read only; set local statement_timeout = {(long)Math.Max(1, limit.TotalMilliseconds)}"), connection))
            {
                await settings.ExecuteNonQueryAsync(cancellationToken);
            }

            return await work();
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            throw new FaultException(FaultKind.Configuration, "query-time", string.Create(CultureInfo.InvariantCulture, $"{Side()} did not answer within {limit.TotalSeconds:0.##} s"), "Allow more time with --limit", exception);
        }
        catch (PostgresException exception) when (!exception.IsTransient && !exception.SqlState.StartsWith("57P", StringComparison.Ordinal))
        {
            throw new FaultException(FaultKind.Configuration, "query", $"{Side()} refuses the query: {exception.MessageText}", "Correct it under 'benchmarks:' of the migration file", exception);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private string Side() => $"{connection.Host}:{connection.Port}/{connection.Database}";
}

using System.Globalization;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Digests;

/// <summary>
/// Compares all rows and all mapped columns of a table between two PostgreSQL databases, by text, while writes rest (or differences
/// are to be looked at again). One scan a side where all is equal: counts and sums of row hashes in hash buckets; only the rows of
/// buckets that differ are read. Not a consistent view of two live sides.
/// </summary>
public sealed class TableComparison
{
    private const int Buckets = 1024;
    private readonly NpgsqlDataSource source;
    private readonly NpgsqlDataSource target;

    /// <summary>Compares between these two.</summary>
    public TableComparison(NpgsqlDataSource source, NpgsqlDataSource target)
    {
        this.source = source;
        this.target = target;
    }

    /// <summary>Compares one table.</summary>
    /// <param name="route">The table and how its columns map; its key identifies rows.</param>
    /// <param name="maxDifferences">Most differing rows to name.</param>
    /// <param name="cancellationToken">Stops the queries.</param>
    public async Task<TableComparisonResult> CompareAsync(TableRoute route, int maxDifferences = 100, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(route);
        var sourceColumns = await ColumnsOfAsync(source, route.Source, cancellationToken);
        var compared = Enumerable.Range(0, route.Target.Columns.Count)
            .Where(i => !route.Target.Columns[i].Generated && sourceColumns.Contains(route.SourceColumns[i]) && !route.IsExcluded(route.SourceColumns[i]))
            .ToArray();
        IReadOnlyList<int> key = route.IsKeyless ? compared : route.Key.Columns;
        var left = new Side(source, route.Source, [.. compared.Select(i => route.SourceColumns[i])], [.. key.Select(i => route.SourceColumns[i])]);
        var right = new Side(target, route.Target.Name, [.. compared.Select(i => route.Target.Columns[i].Name)], [.. key.Select(i => route.Target.Columns[i].Name)]);

        var digests = await Task.WhenAll(DigestAsync(left, cancellationToken), DigestAsync(right, cancellationToken));
        var suspect = Enumerable.Range(0, Buckets).Where(bucket => digests[0].GetValueOrDefault(bucket) != digests[1].GetValueOrDefault(bucket)).ToArray();
        var differences = suspect.Length == 0 ? [] : await NarrowAsync(left, right, suspect, maxDifferences, cancellationToken);
        return new TableComparisonResult(route, digests[0].Values.Sum(d => d.Count), digests[1].Values.Sum(d => d.Count), differences, left.Columns);
    }

    private static async Task<Dictionary<int, (long Count, decimal Sum)>> DigestAsync(Side side, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(side.Database, cancellationToken);
        await using var command = new NpgsqlCommand($"""
            select b, count(*), sum(h) from (select (hashtextextended({side.KeyText}, 11) & {Buckets - 1})::int as b, hashtextextended({side.RowText}, 7)::numeric as h
            from only_or_parent) rows group by b
            """.Replace("only_or_parent", side.Table.Sql, StringComparison.Ordinal), connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var digest = new Dictionary<int, (long, decimal)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            digest[reader.GetInt32(0)] = (reader.GetInt64(1), reader.GetDecimal(2));
        }

        return digest;
    }

    private static async Task<IReadOnlyList<RowDifference>> NarrowAsync(Side left, Side right, int[] buckets, int max, CancellationToken cancellationToken)
    {
        var differences = new List<RowDifference>();
        foreach (var bucket in buckets)
        {
            var rows = await Task.WhenAll(RowsAsync(left, bucket, cancellationToken), RowsAsync(right, bucket, cancellationToken));
            foreach (var (key, here) in rows[0])
            {
                var columns = rows[1].TryGetValue(key, out var there)
                    ? [.. left.Columns.Where((_, i) => !string.Equals(here.Values[i], there.Values[i], StringComparison.Ordinal))]
                    : (string[]?)null;
                if (columns is null || columns.Length > 0)
                {
                    differences.Add(new RowDifference(here.Key, columns is null ? DifferenceKind.Missing : DifferenceKind.Different, columns ?? []));
                }
            }

            // The key is named by source columns on either side, so that one statement helps on both.
            differences.AddRange(rows[1].Where(pair => !rows[0].ContainsKey(pair.Key))
                .Select(pair => new RowDifference(left.KeyColumns.Zip(pair.Value.Key.Values).ToDictionary(p => p.First, p => p.Second), DifferenceKind.Extra, [])));
            if (differences.Count >= max)
            {
                break;
            }
        }

        return differences.Count > max ? differences.GetRange(0, max) : differences;
    }

    private static async Task<Dictionary<string, (IReadOnlyDictionary<string, string?> Key, string?[] Values)>> RowsAsync(
        Side side, int bucket, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(side.Database, cancellationToken);
        var keys = side.KeyColumns.Select(column => $"{TableName.Quote(column)}::text");
        var columns = side.Columns.Select(column => $"{TableName.Quote(column)}::text");
        await using var command = new NpgsqlCommand($"""
            select {side.KeyText}, {string.Join(", ", keys.Concat(columns))} from {side.Table.Sql}
            where (hashtextextended({side.KeyText}, 11) & {Buckets - 1}) = {bucket.ToString(CultureInfo.InvariantCulture)}
            """, connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new Dictionary<string, (IReadOnlyDictionary<string, string?>, string?[])>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = new Dictionary<string, string?>(StringComparer.Ordinal);
            for (var i = 0; i < side.KeyColumns.Count; i++)
            {
                key[side.KeyColumns[i]] = reader.IsDBNull(1 + i) ? null : reader.GetString(1 + i);
            }

            var values = new string?[side.Columns.Count];
            for (var i = 0; i < values.Length; i++)
            {
                var at = 1 + side.KeyColumns.Count + i;
                values[i] = reader.IsDBNull(at) ? null : reader.GetString(at);
            }

            // Without a key rows may be equal: the second of them is another row.
            var name = reader.GetString(0);
            for (var equal = 2; rows.ContainsKey(name); equal++)
            {
                name = string.Create(CultureInfo.InvariantCulture, $"{reader.GetString(0)} {equal}");
            }

            rows[name] = (key, values);
        }

        return rows;
    }

    private static async Task<HashSet<string>> ColumnsOfAsync(NpgsqlDataSource database, TableName table, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            select attname::text from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = table.Sql });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            columns.Add(reader.GetString(0));
        }

        return columns;
    }

    /// <summary>Opens a session whose text forms do not depend on server or role settings.</summary>
    private static async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("""
            set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set extra_float_digits = 1;
            set bytea_output = 'hex'; set xmloption = 'content'; set lc_monetary = 'C'; set search_path = ''; set row_security = off; set jit = off;
            """, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return connection;
    }

    private sealed record Side(NpgsqlDataSource Database, TableName Table, IReadOnlyList<string> Columns, IReadOnlyList<string> KeyColumns)
    {
        public string RowText => RowOf(Columns);

        public string KeyText => RowOf(KeyColumns);

        /// <summary>A record's text form keeps NULL and the empty string apart and quotes separators: it is unambiguous.</summary>
        private static string RowOf(IEnumerable<string> columns) =>
            $"row({string.Join(", ", columns.Select(column => $"{TableName.Quote(column)}::text"))})::text";
    }
}

using System.Globalization;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// A sample of a table's keys as SQL. Rows are drawn once, with the length of each column's value and what is odd about it, never the value itself but for numbers and
/// times; of these the wanted ones are picked. Pure.
/// </summary>
internal static class SampleSql
{
    private const int EdgeRows = 25;
    private const int LongestRows = 3;

    /// <summary>Rows that are drawn at least, to find odd ones among them.</summary>
    private const int LeastDrawn = 50_000;

    /// <summary>Above so many rows a sample reads some blocks, not some rows of all blocks.</summary>
    private const long RowsReadForSample = 20_000_000;

    /// <summary>PostgreSQL takes 1,600 columns in a row; a column of the table has up to three here.</summary>
    private const int ColumnsOfStatement = 400;

    /// <summary>Statements that each give a stratum's number and the key's columns.</summary>
    /// <param name="table">The table, with a key.</param>
    /// <param name="sql">The side's names.</param>
    /// <param name="columns">Those of its columns that are compared.</param>
    /// <param name="rows">Rows wanted at random.</param>
    public static IEnumerable<string> Of(ComparedTable table, RowSql sql, IReadOnlyList<SampledColumn> columns, int rows)
    {
        // More than wanted, for what is drawn varies; then some of them at random, so that none is left out because of where it lies.
        var drawn = Math.Max(2L * rows, LeastDrawn);
        var method = table.EstimatedRows > RowsReadForSample ? "system" : "bernoulli";
        var percent = table.EstimatedRows <= drawn ? 100 : 100.0 * drawn / table.EstimatedRows;
        var sampled = $"{sql.From} tablesample {method} ({percent.ToString("0.##########", CultureInfo.InvariantCulture)})";
        var key = string.Join(", ", sql.Key);
        foreach (var (part, at) in columns.Chunk(ColumnsOfStatement).DefaultIfEmpty([]).Select((part, at) => (part, at)))
        {
            yield return Picked(sql, sampled, part, at == 0 ? rows : 0);
        }

        if (table.Order == ChunkOrder.KeyRanges)
        {
            yield return Ordered(SampleStratum.KeyEnds, key, $"{sql.From} order by {sql.Sorted} limit {EdgeRows}");
            yield return Ordered(SampleStratum.KeyEnds, key, $"{sql.From} order by {string.Join(", ", sql.Sorted.Split(", ").Select(column => $"{column} desc"))} limit {EdgeRows}");
        }

        foreach (var column in columns.Where(column => column is { IsOrdered: true, LeadsIndex: true }))
        {
            yield return Ordered(SampleStratum.EdgeValues, key, $"{sql.From} where {column.Sql} is not null order by {column.Sql} limit 1");
            yield return Ordered(SampleStratum.EdgeValues, key, $"{sql.From} where {column.Sql} is not null order by {column.Sql} desc limit 1");
        }
    }

    private static string Ordered(SampleStratum stratum, string key, string rest) => $"select {(int)stratum}, {key} from {rest}";

    private static string Picked(RowSql sql, string sampled, SampledColumn[] columns, int rows)
    {
        var (measures, picks) = (new List<string>(), new List<string>());
        if (rows > 0)
        {
            picks.Add($"(select {(int)SampleStratum.Random}, n from s order by pg_catalog.random() limit {rows})");
        }

        for (var i = 0; i < columns.Length; i++)
        {
            var column = columns[i];
            measures.Add($"{column.Edge} as e{i}");
            picks.Add($"(select {(int)SampleStratum.EdgeValues}, min(n) from s where e{i} is not null group by e{i})");
            if (column.Size is { } size)
            {
                measures.Add($"{size} as l{i}");
                picks.Add($"(select {(int)SampleStratum.LongestValues}, n from s where l{i} is not null order by l{i} desc limit {LongestRows})");
            }

            if (column is { IsOrdered: true, LeadsIndex: false })
            {
                measures.Add($"{column.Sql} as v{i}");
                picks.Add($"(select {(int)SampleStratum.EdgeValues}, n from s where v{i} is not null order by v{i} limit 1)");
                picks.Add($"(select {(int)SampleStratum.EdgeValues}, n from s where v{i} is not null order by v{i} desc limit 1)");
            }
        }

        var keys = sql.Key.Select((column, i) => $"{column} as k{i}");
        return $"""
            with s as materialized (select pg_catalog.row_number() over () as n, {string.Join(", ", keys.Concat(measures))} from {sampled}),
            p(stratum, n) as ({string.Join("\n union all ", picks.DefaultIfEmpty("(select 0, 0 where false)"))})
            select distinct p.stratum, {string.Join(", ", sql.Key.Select((_, i) => $"s.k{i}"))} from p join s on s.n = p.n
            """;
    }
}

using System.Diagnostics;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>Looks at the values of columns whose type alone does not tell what events carry of them. One scan a table, bounded in time.</summary>
internal static class SourceValues
{
    /// <summary>What is not longer than this is not moved out of line by default (TOAST_TUPLE_TARGET less a row's other columns).</summary>
    private const int LongestInline = 1900;

    private static readonly TimeSpan LongestScan = TimeSpan.FromSeconds(10);

    /// <summary>Asks what is worth asking of these columns.</summary>
    /// <param name="source">The source.</param>
    /// <param name="tables">Tables of its catalog and their columns of interest. Those the role may not read are left out.</param>
    /// <param name="carriage">What events carry of a type.</param>
    /// <param name="budget">Time for all tables together; what is not decided then comes back undecided.</param>
    /// <param name="cancellationToken">Stops the scan.</param>
    public static async Task<IReadOnlyList<ValueAnswer>> AskAsync(
        NpgsqlDataSource source, IEnumerable<(CatalogTable Table, IEnumerable<CatalogColumn> Columns)> tables, Func<ColumnType, Carriage> carriage, TimeSpan budget, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var answers = new List<ValueAnswer>();
        foreach (var (table, columns) in tables.Where(entry => !entry.Table.LacksRights.Contains("SELECT")))
        {
            var questions = columns.SelectMany(column => Questions(column, table, carriage)).ToList();
            if (questions.Count > 0)
            {
                var left = budget - Stopwatch.GetElapsedTime(started);
                var found = await ScanAsync(source, table.Name, questions, left < LongestScan ? left : LongestScan, cancellationToken);
                answers.AddRange(questions.Select((question, i) => new ValueAnswer(table.Name, question.Column, question.Trait, found?[i])));
            }
        }

        return answers;
    }

    /// <summary>What is worth asking of a column: a predicate of SQL each.</summary>
    public static IEnumerable<(string Column, ValueTrait Trait, string Sql)> Questions(CatalogColumn column, CatalogTable table, Func<ColumnType, Carriage> carriage)
    {
        var (name, type) = (column.Column.Name, column.Column.Type);
        var sql = TableName.Quote(name);
        switch (type.Kind)
        {
            case ColumnKind.Array when carriage(type) is Carriage.Whole or Carriage.NullIsAmbiguous:
                yield return (name, ValueTrait.ArrayShape, $"pg_catalog.array_ndims({sql}) > 1 or pg_catalog.array_lower({sql}, 1) <> 1");
                break;
            case ColumnKind.Date:
                yield return (name, ValueTrait.DateBeforeChrist, $"{sql} < '0001-01-01' and {sql} <> '-infinity'");
                break;
            case ColumnKind.Interval:
                yield return (name, ValueTrait.LongInterval, $"pg_catalog.abs(extract(hour from {sql})) > 2147483647");
                break;
            case ColumnKind.TimeTz:
                yield return (name, ValueTrait.OffsetWithSeconds, $"extract(timezone from {sql})::int % 60 <> 0");
                break;
        }

        if (column is { Toastable: true, Column.NotNull: true } && table.ReplicaIdentity != 'f' && carriage(type) == Carriage.NullIsAmbiguous)
        {
            yield return (name, ValueTrait.OutOfLine, $"pg_catalog.pg_column_size({sql}) > {LongestInline}");
        }
    }

    /// <summary>Null where the scan was not over in time, or one of its expressions failed.</summary>
    private static async Task<bool[]?> ScanAsync(
        NpgsqlDataSource source, TableName table, List<(string Column, ValueTrait Trait, string Sql)> questions, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (limit <= TimeSpan.Zero)
        {
            return null;
        }

        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand($"""
            set local statement_timeout = {(long)Math.Max(1, limit.TotalMilliseconds)};
            select {string.Join(", ", questions.Select(question => $"coalesce(bool_or({question.Sql}), false)"))} from {table.Sql}
            """, connection) { CommandTimeout = 0 };
        try
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return [.. questions.Select((_, i) => reader.GetBoolean(i))];
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.QueryCanceled || exception.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            return null;
        }
    }
}

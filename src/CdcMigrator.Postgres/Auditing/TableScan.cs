using System.Diagnostics;
using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using Npgsql;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>Reads a table once and computes everything an audit wants to know of its columns' values.</summary>
/// <param name="database">Read-only sessions.</param>
/// <param name="server">Version of the server, as <c>server_version_num</c>.</param>
/// <param name="isUtf8">Its encoding is UTF8.</param>
/// <param name="carriage">What events carry of a type; null for a log that carries PostgreSQL's own text.</param>
internal sealed class TableScan(NpgsqlDataSource database, int server, bool isUtf8, Func<ColumnType, Carriage>? carriage)
{
    /// <summary>Reads it. What fails on the server's side is no exception but in the result.</summary>
    public async Task<TableReading> ReadAsync(CatalogTable table, TableMapping mapping, double percent, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var columns = table.Columns.Where(column => !mapping.Exclude.Contains(column.Column.Name)).ToList();
        try
        {
            var profiles = new List<ColumnProfile>();
            var answers = new List<ValueAnswer>();
            long rows = 0;
            long? largest = null;
            foreach (var (part, number) in Parts(columns, table).Select((part, number) => (part, number)))
            {
                var values = await QueryAsync(table, part, number == 0 ? RowBytes(columns) : "null", percent, limit, cancellationToken);
                rows = long.Parse(values[0]!, CultureInfo.InvariantCulture);
                largest ??= values[1] is { } bytes ? long.Parse(bytes, CultureInfo.InvariantCulture) : null;
                var at = 2;
                foreach (var (aggregates, questions, column) in part)
                {
                    profiles.Add(aggregates.Read(values.AsSpan(at, aggregates.Asked)));
                    at += aggregates.Asked;
                    foreach (var question in questions)
                    {
                        // A sample that shows nothing decides nothing.
                        var found = values[at++] == "t";
                        answers.Add(new ValueAnswer(table.Name, column.Column.Name, question.Trait, found || percent >= 100 ? found : null));
                    }
                }
            }

            return new TableReading(rows, profiles, answers, Stopwatch.GetElapsedTime(started).TotalSeconds, null) { LargestRow = largest };
        }
        catch (PostgresException exception) when (!EndsSession(exception))
        {
            var (trouble, fix) = await TroubleAsync(exception, table, limit, cancellationToken);
            return new TableReading(
                null, [.. columns.Select(column => new ColumnProfile(column.Column.Name, column.Declared) { Nullable = !column.Column.NotNull })], [], Stopwatch.GetElapsedTime(started).TotalSeconds, trouble)
            { Fix = fix };
        }
    }

    /// <summary>The server goes down, or ended the session: that is no trouble of one table.</summary>
    private static bool EndsSession(PostgresException exception) => exception.SqlState.StartsWith("57P", StringComparison.Ordinal) || exception.SqlState.StartsWith("08", StringComparison.Ordinal);

    private async Task<(string Trouble, string Fix)> TroubleAsync(PostgresException exception, CatalogTable table, TimeSpan limit, CancellationToken cancellationToken) => exception.SqlState switch
    {
        PostgresErrorCodes.QueryCanceled => (string.Create(CultureInfo.InvariantCulture, $"it took longer than {limit.TotalSeconds:0.##} s"), "Run the audit again with a longer --limit or a smaller --sample, or at a quieter hour"),
        PostgresErrorCodes.LockNotAvailable => (
            $"it is locked{(await AuditCatalog.HolderAsync(database, table.Name, cancellationToken) is { } holder ? $" by {holder}" : "")}", "Run the audit again when the schema change, or whatever has the table to itself, is over"),
        PostgresErrorCodes.InsufficientPrivilege => (exception.MessageText, $"GRANT SELECT ON {table.Name.Sql}, and USAGE on its schema, to the migration's role"),
        _ => (exception.MessageText, "Mend what the message names, then run the audit again"),
    };

    /// <summary>Bytes of a row as an event carries them, about: text of each column, bytes as Base64.</summary>
    private static string RowBytes(List<CatalogColumn> columns) => columns.Count == 0 ? "0" : $"max({string.Join(" + ", columns.Select(column =>
    {
        var name = TableName.Quote(column.Column.Name);
        return column.Column.Type.Kind == ColumnKind.Bytes ? $"coalesce(octet_length({name}), 0)::bigint * 4 / 3"
            : column.Toastable || column.Column.Type.Kind is ColumnKind.Text or ColumnKind.Numeric or ColumnKind.Opaque ? $"coalesce(octet_length({name}::text), 0)::bigint"
            : "20";
    }))})";

    /// <summary>All columns together, or as many at a time as a query takes.</summary>
    private IEnumerable<List<(ColumnAggregates Aggregates, List<(string Column, ValueTrait Trait, string Sql)> Questions, CatalogColumn Column)>> Parts(List<CatalogColumn> columns, CatalogTable table)
    {
        var part = new List<(ColumnAggregates, List<(string, ValueTrait, string)>, CatalogColumn)>();
        var asked = 2;
        foreach (var column in columns)
        {
            var aggregates = new ColumnAggregates(column, server, isUtf8);
            var questions = carriage is null || column.Column.Generated ? [] : SourceValues.Questions(column, table, carriage).ToList();
            if (asked + aggregates.Asked + questions.Count > ColumnAggregates.MostInAQuery)
            {
                yield return part;
                part = [];
                asked = 2;
            }

            part.Add((aggregates, questions, column));
            asked += aggregates.Asked + questions.Count;
        }

        yield return part;
    }

    private async Task<string?[]> QueryAsync(
        CatalogTable table, List<(ColumnAggregates Aggregates, List<(string Column, ValueTrait Trait, string Sql)> Questions, CatalogColumn Column)> part, string rowBytes, double percent,
        TimeSpan limit, CancellationToken cancellationToken)
    {
        var expressions = part.SelectMany(entry => entry.Aggregates.Sql.Concat(entry.Questions.Select(question => $"coalesce(bool_or({question.Sql}), false)"))).Prepend(rowBytes).Prepend("count(*)");
        var sample = percent < 100 ? string.Create(CultureInfo.InvariantCulture, $" tablesample system ({percent}) repeatable (1)") : "";
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand($"""
            set local statement_timeout = {(long)Math.Max(1, limit.TotalMilliseconds)};
            select {string.Join(",\n    ", expressions)}
            from {table.Name.Sql}{sample}
            """, connection)
        { AllResultTypesAreUnknown = true };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return [.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetString(i))];
    }
}

using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>
/// What a PostgreSQL source's catalog and values say of the columns a migration moves (invariant A5): the types events were written from, and
/// the columns whose values no event is believed for. Reads again on each load; the values are looked at once, at the first.
/// </summary>
/// <param name="source">Control sessions on the source.</param>
/// <param name="carriage">What events carry of a type, under the connector's settings.</param>
/// <param name="log">Where a look at the values that was not finished is told.</param>
public sealed class OriginCatalog(NpgsqlDataSource source, Func<ColumnType, Carriage> carriage, ILogger log)
{
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(20);

    /// <summary>The first version whose intervals can be infinite.</summary>
    private const int InfiniteIntervals = 17;

    private Dictionary<(TableName Table, string Column), ReadAgain>? readAgain;

    /// <summary>The columns of each source table that exists, by name; generated ones, whose values are never moved, left out.</summary>
    /// <exception cref="Domain.Faults.FaultException">Unreachable: the source does not answer. Configuration: it refuses the query.</exception>
    public async Task<IReadOnlyDictionary<TableName, IReadOnlyDictionary<string, OriginColumn>>> LoadAsync(
        IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mappings);
        try
        {
            var tables = await CatalogReader.ReadAsync(source, [.. mappings.Select(mapping => mapping.Source).Distinct()], cancellationToken);
            readAgain ??= await LookAsync(tables, mappings, cancellationToken);
            var infinite = await HasInfiniteIntervalsAsync(cancellationToken);
            return tables.ToDictionary(table => table.Key, table => (IReadOnlyDictionary<string, OriginColumn>)table.Value.Columns
                .Where(column => !column.Column.Generated)
                .ToDictionary(column => column.Column.Name, column => Describe(table.Key, column.Column, infinite), StringComparer.Ordinal));
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private async Task<bool> HasInfiniteIntervalsAsync(CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return connection.PostgreSqlVersion.Major >= InfiniteIntervals;
    }

    private OriginColumn Describe(TableName table, TargetColumn column, bool infiniteIntervals) => new(column.Type)
    {
        ZeroMayBeInfinite = infiniteIntervals && column.Type.Kind == ColumnKind.Interval,
        NullHasDefault = column is { HasDefault: true, NotNull: false },
        ReadAgain = readAgain!.GetValueOrDefault((table, column.Name)),
    };

    private async Task<Dictionary<(TableName, string), ReadAgain>> LookAsync(
        IReadOnlyDictionary<TableName, CatalogTable> tables, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        var wanted = mappings.Where(mapping => tables.ContainsKey(mapping.Source))
            .Select(mapping => (tables[mapping.Source], tables[mapping.Source].Columns.Where(column => IsOpen(mapping, column.Column))));
        var found = new Dictionary<(TableName, string), ReadAgain>();
        foreach (var answer in await SourceValues.AskAsync(source, wanted, carriage, LongestLook, cancellationToken))
        {
            if (answer.Trait is not (ValueTrait.ArrayShape or ValueTrait.DateBeforeChrist))
            {
                continue;
            }

            if (answer.Found is null)
            {
                PostgresLog.ValuesNotSeen(log, answer.Table, answer.Column, answer.Trait == ValueTrait.ArrayShape ? "arrays of several dimensions or with a lower bound other than 1" : "dates BC");
            }
            else if (answer.Found == true)
            {
                found[(answer.Table, answer.Column)] = answer.Trait == ValueTrait.ArrayShape ? ReadAgain.Always : ReadAgain.Snapshot;
                PostgresLog.ValuesReadAgain(log, answer.Table, answer.Column, answer.Trait == ValueTrait.ArrayShape ? "arrays whose shape events do not carry" : "dates BC, which a snapshot does not carry");
            }
        }

        return found;
    }

    private static bool IsOpen(TableMapping mapping, TargetColumn column) => !column.Generated && !mapping.Exclude.Contains(column.Name) && !mapping.Reselect.Contains(column.Name);
}

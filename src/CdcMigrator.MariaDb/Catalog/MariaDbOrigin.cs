using System.Collections.Concurrent;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Catalog;

/// <summary>What a MariaDB or MySQL source's catalog says of the columns a migration moves (invariant A5). Thread-safe.</summary>
/// <param name="source">The pool.</param>
/// <param name="time">The clock.</param>
public sealed class MariaDbOrigin(MySqlDataSource source, TimeProvider time)
{
    /// <summary>How old an answer may be; there is a query for each table.</summary>
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(10);

    private volatile Dictionary<TableName, IReadOnlyList<SourceColumn>>? read;
    private long readAt;

    /// <summary>Defaults of NOT NULL dates that this process has seen: events from before a change of one may still come.</summary>
    private readonly ConcurrentDictionary<(TableName Table, string Column), string> defaults = new();

    /// <summary>The columns of each source table that exists, by name; generated ones are read as any other.</summary>
    /// <exception cref="FaultException">Unreachable: the source does not answer. Configuration: it refuses the query.</exception>
    public async Task<IReadOnlyDictionary<TableName, IReadOnlyDictionary<string, OriginColumn>>> LoadAsync(RouteTable routes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var tables = read;
        if (tables is null || time.GetElapsedTime(Interlocked.Read(ref readAt)) > Age || routes.All.Any(route => !tables.ContainsKey(route.Source)))
        {
            var began = time.GetTimestamp();
            read = tables = await ReadAsync(routes, cancellationToken);
            Interlocked.Exchange(ref readAt, began);
        }

        return routes.All.Where(route => tables[route.Source].Count > 0).ToDictionary(
            route => route.Source,
            route => (IReadOnlyDictionary<string, OriginColumn>)tables[route.Source].ToDictionary(column => column.Name, column => Describe(column, route), StringComparer.Ordinal));
    }

    private async Task<Dictionary<TableName, IReadOnlyList<SourceColumn>>> ReadAsync(RouteTable routes, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            var tables = new Dictionary<TableName, IReadOnlyList<SourceColumn>>();
            foreach (var route in routes.All)
            {
                tables[route.Source] = await SourceCatalog.ReadColumnsAsync(connection, route.Source, cancellationToken);
            }

            return tables;
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    private OriginColumn Describe(SourceColumn column, TableRoute route)
    {
        var ordinal = route.OrdinalOfSource(column.Name);
        var moved = ordinal >= 0 && !route.IsExcluded(column.Name) && !route.Target.Columns[ordinal].Generated;
        if (column.ZeroDateDefault is { } text)
        {
            defaults[(route.Source, column.Name)] = text;
        }

        return new OriginColumn(Type: null)
        {
            NullHasDefault = column is { Nullable: true, HasDefault: true },
            ZeroDateDefault = column.HasZeroDates ? defaults.GetValueOrDefault((route.Source, column.Name)) : null,
            IsEnum = column.Type == "enum",
            IsSet = column.Type == "set",
            Unfit = moved ? Unfit(column, route, ordinal) : null,
            ReadAgain = moved && TypeFit.Of(column, route.Target.Columns[ordinal].Type) == Fit.Source ? ReadAgain.Always : ReadAgain.Never,
        };
    }

    private static string? Unfit(SourceColumn column, TableRoute route, int ordinal)
    {
        var (type, mapping, isKey) = (route.Target.Columns[ordinal].Type, route.MappingOf(ordinal), route.Key.Columns.Contains(ordinal));
        return TypeFit.Unfit(column, type, mapping, isKey)
            ?? (MappingRules.Refuse(column, type, mapping, isKey) is { } refused ? $"what the migration file says of it cannot be done: {refused}" : null);
    }
}

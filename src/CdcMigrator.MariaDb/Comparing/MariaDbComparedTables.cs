using System.Runtime.CompilerServices;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using CdcMigrator.MariaDb.Values;
using CdcMigrator.Postgres.Catalog;
using MySqlConnector;
using Npgsql;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>Says how each table of a migration is compared between a MariaDB source and its PostgreSQL target, from both catalogs.</summary>
public static class MariaDbComparedTables
{
    /// <summary>How the columns of each table that was read are read: as it was found then, whatever was read since. By its list of columns, which its copies share.</summary>
    private static readonly ConditionalWeakTable<IReadOnlyList<ComparedColumn>, IReadOnlyList<ComparedValue>> Values = [];

    /// <summary>Reads both catalogs. To be read again when a schema may have changed.</summary>
    /// <param name="source">Source server.</param>
    /// <param name="target">Target database.</param>
    /// <param name="mappings">Tables of the migration file.</param>
    /// <param name="cancellationToken">Stops the queries.</param>
    /// <returns>One a mapping, in their order; a table that cannot be compared exactly is among them and says why.</returns>
    /// <exception cref="FaultException">Unreachable, Transient, Configuration: a catalog cannot be read.</exception>
    public static async Task<IReadOnlyList<ComparedTable>> ReadAsync(
        MySqlDataSource source, NpgsqlDataSource target, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mappings);
        try
        {
            await using var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            var tables = new List<ComparedTable>();
            foreach (var mapping in mappings)
            {
                tables.Add(await PairAsync(connection, target, mapping, cancellationToken));
            }

            return tables;
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    /// <summary>How the columns of a table that was read here are read.</summary>
    internal static IReadOnlyList<ComparedValue> ValuesOf(ComparedTable table) =>
        Values.TryGetValue(table.Columns, out var values) ? values : throw new ArgumentException($"{table.Source} was not read by {nameof(ReadAsync)}", nameof(table));

    /// <summary>The key's columns of a table that was read here, as a table.</summary>
    internal static ComparedTable KeyOf(ComparedTable table)
    {
        var (key, values) = (table.OfKey, ValuesOf(table));
        Values.Add(key.Columns, [.. table.Key.Select(ordinal => values[ordinal])]);
        return key;
    }

    private static async Task<ComparedTable> PairAsync(MySqlConnection connection, NpgsqlDataSource target, TableMapping mapping, CancellationToken cancellationToken)
    {
        if (await SourceCatalog.FindAsync(connection, mapping.Source, cancellationToken) is not { IsTable: true } source)
        {
            return Refused(mapping, $"the source has no table {mapping.Source}");
        }

        if (!source.Engine.Equals("InnoDB", StringComparison.OrdinalIgnoreCase))
        {
            return Refused(mapping, $"{mapping.Source} is of engine {source.Engine}, of which no snapshot can be taken");
        }

        TableRoute route;
        try
        {
            route = (await TargetCatalog.LoadAsync(target, [mapping], cancellationToken)).All.Single();
        }
        catch (FaultException exception) when (exception.Fault.Code is "missing-table" or "keyless")
        {
            return Refused(mapping, exception.Fault.Message);
        }

        var table = Pair(route, source, await RowsAsync(connection, mapping.Source, cancellationToken));
        Values.Add(table.Columns, [.. table.Columns.Select(column => ValueOf(column, route, source))]);
        return table;
    }

    private static ComparedValue ValueOf(ComparedColumn column, TableRoute route, SourceTable source)
    {
        var ordinal = route.OrdinalOfSource(column.Source);
        var (into, mapping) = (route.Target.Columns[ordinal], route.MappingOf(ordinal));
        return new ComparedValue(new SourceValue(source.Find(column.Source)!, into, mapping, route.Source), into.Type, mapping);
    }

    private static ComparedTable Pair(TableRoute route, SourceTable source, long rows)
    {
        var (columns, left, refusals) = (new List<ComparedColumn>(), new List<string>(), new List<string>());
        foreach (var column in source.Columns)
        {
            var ordinal = route.OrdinalOfSource(column.Name);
            if (route.IsExcluded(column.Name) || column.Generated || (ordinal >= 0 && route.Target.Columns[ordinal].Generated))
            {
                left.Add(column.Name);
                continue;
            }

            if (ordinal < 0)
            {
                refusals.Add($"column {column.Name} of the source has no counterpart in {route.Target.Name} and is not excluded");
                continue;
            }

            var (into, isKey) = (route.Target.Columns[ordinal], route.Key.Columns.Contains(ordinal));
            if (TypeFit.Unfit(column, into.Type, route.MappingOf(ordinal), isKey) is { } unfit)
            {
                refusals.Add($"column {column.Name}: {unfit}");
            }
            else if (FormOf(into.Type) is not { } form || (isKey && form is CanonicalForm.Json or CanonicalForm.Array or CanonicalForm.Point or CanonicalForm.Double))
            {
                refusals.Add($"column {column.Name} is {into.Type.Sql} in the target, of which no form is known that is equal where values are");
            }
            else
            {
                columns.Add(new ComparedColumn(column.Name, into.Name, form)
                {
                    IsFreeText = true,
                    IsNullable = column.Nullable || !into.NotNull,
                    SourceDeclaration = Told(column, into.Type, route.MappingOf(ordinal)),
                    TargetType = into.Type.Sql,
                    Mapped = Words(route.MappingOf(ordinal), into),
                });
            }
        }

        int[] key = [.. route.Key.Columns.Select(ordinal => columns.FindIndex(column => column.Target == route.Target.Columns[ordinal].Name))];
        if (refusals.Count == 0 && (key.Contains(-1) || (!route.IsKeyless && !source.Key.ToHashSet(StringComparer.OrdinalIgnoreCase).SetEquals(key.Select(ordinal => columns[ordinal].Source)))))
        {
            refusals.Add($"the source identifies rows of {source.Name} otherwise than the target's key {route.Key.Name}");
        }

        left.AddRange(route.Target.Columns.Select(column => column.Name).Where(name => !left.Contains(name) && columns.TrueForAll(column => column.Target != name)));
        return new ComparedTable
        {
            Source = route.Source,
            Target = route.Target.Name,
            Columns = columns,
            Key = key,
            Hashing = HashPlace.Here,
            Order = refusals.Count == 0 && !route.IsKeyless && SortsAlike(route, source) ? ChunkOrder.KeyRanges : ChunkOrder.Buckets,
            EstimatedRows = rows,
            NotCompared = left,
            Unverifiable = refusals.Count == 0 ? null : string.Join("; ", refusals),
        };
    }

    /// <summary>The column's type for the reader of keys; one it does not know where the target's text is another than the source's: such a key is not told from events.</summary>
    private static string Told(SourceColumn column, ColumnType into, ColumnMapping mapping)
    {
        var isSame = column.Type switch
        {
            "tinyint" or "smallint" or "mediumint" or "int" or "bigint" => into.Kind != ColumnKind.Boolean,
            "binary" => into.Kind == ColumnKind.Bytes || mapping.UuidFormat == UuidFormat.Binary16,
            "datetime" => into.Kind == ColumnKind.Timestamp,
            "timestamp" => into.Kind == ColumnKind.TimestampTz,
            "enum" => mapping.Labels.Count == 0,
            _ => true,
        };
        return isSame ? column.Declared : $"mapped {column.Declared}";
    }

    /// <summary>Everything of a mapping on which a value's text depends.</summary>
    private static string Words(ColumnMapping mapping, TargetColumn into) => mapping == ColumnMapping.None && !into.NotNull ? "" :
        $"[{into.NotNull} {mapping.ZeroDate} {mapping.PartialDate} {mapping.NulCharacter} {mapping.NonZeroIsTrue} {mapping.UuidFormat} {string.Join(',', mapping.Labels.Select(label => $"{label.Key}={label.Value}"))}]";

    /// <summary>Whether both sides have an index over the key in the same order of columns, all of them whole numbers.</summary>
    private static bool SortsAlike(TableRoute route, SourceTable source) =>
        source.Key.SequenceEqual(route.Key.Columns.Select(ordinal => route.SourceColumns[ordinal]), StringComparer.OrdinalIgnoreCase)
        && route.Key.Columns.All(ordinal => route.Target.Columns[ordinal].Type.Kind is ColumnKind.Integer or ColumnKind.Numeric
            && source.Find(route.SourceColumns[ordinal])?.Type is "tinyint" or "smallint" or "mediumint" or "int" or "bigint");

    private static CanonicalForm? FormOf(ColumnType type) => type.Kind switch
    {
        ColumnKind.Integer or ColumnKind.Numeric => CanonicalForm.TrimmedNumber,
        ColumnKind.Float => CanonicalForm.Double,
        ColumnKind.Boolean or ColumnKind.Bytes or ColumnKind.Bit or ColumnKind.VarBit or ColumnKind.Date or ColumnKind.Time or ColumnKind.Timestamp or ColumnKind.TimestampTz
            or ColumnKind.Interval => CanonicalForm.Text,
        ColumnKind.Point => CanonicalForm.Point,
        ColumnKind.Array when type.Element?.Kind == ColumnKind.Text => CanonicalForm.Array,
        ColumnKind.Text => type.BaseName switch
        {
            "uuid" => CanonicalForm.Hex,
            "json" or "jsonb" => CanonicalForm.Json,
            "bpchar" => CanonicalForm.Unpadded,
            "text" or "varchar" => CanonicalForm.Text,
            _ when type.Sql.Contains('.', StringComparison.Ordinal) => CanonicalForm.Text,
            _ => null,
        },
        ColumnKind.Opaque when type.BaseName == "geometry" => CanonicalForm.Hex,
        _ => null,
    };

    private static ComparedTable Refused(TableMapping mapping, string reason) =>
        new() { Source = mapping.Source, Target = mapping.Target, Columns = [], Key = [], Order = ChunkOrder.Buckets, Hashing = HashPlace.Here, Unverifiable = reason };

    private static async Task<long> RowsAsync(MySqlConnection connection, TableName name, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand("select coalesce(table_rows, 0) from information_schema.tables where table_schema = @schema and table_name = @name", connection);
        command.Parameters.AddWithValue("@schema", name.Schema);
        command.Parameters.AddWithValue("@name", name.Name);
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), System.Globalization.CultureInfo.InvariantCulture);
    }
}

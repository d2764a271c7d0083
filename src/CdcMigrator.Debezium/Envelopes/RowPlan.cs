using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>
/// The fields of one table's rows (or keys) as written under one schema. Fields are compiled when first met; in later records they come in
/// the same order, so that a name is compared once instead of looked up.
/// </summary>
internal sealed class RowPlan(TablePlan table, ConnectSchema? schema, bool isKey, DebeziumSettings settings)
{
    private readonly List<FieldPlan> fields = [];
    private FieldPlan[]? inOrder;

    /// <summary>The field of a name, given its place in the record.</summary>
    public FieldPlan Field(ReadOnlySpan<byte> name, int place)
    {
        if (place < fields.Count && name.SequenceEqual(fields[place].Utf8))
        {
            return fields[place];
        }

        foreach (var field in fields)
        {
            if (name.SequenceEqual(field.Utf8))
            {
                return field;
            }
        }

        var compiled = Compile(System.Text.Encoding.UTF8.GetString(name));
        fields.Add(compiled);
        return compiled;
    }

    /// <summary>The fields of a format whose records all have the same ones in the same order.</summary>
    public FieldPlan[] InOrder(IReadOnlyList<string> names) => inOrder ??= [.. names.Select(Compile)];

    /// <summary>Compiles the field of a column.</summary>
    /// <exception cref="FaultException">Poison: the target has no such column, or the key no such part.</exception>
    public FieldPlan Compile(string fieldName)
    {
        var known = schema?.Field(fieldName);
        var route = table.Route!;
        var name = known?.SourceColumn ?? FieldNames.ToColumn(fieldName, route, settings.FieldNames);
        var ordinal = route.OrdinalOfSource(name);
        if (isKey && (ordinal < 0 || !route.Key.Columns.Contains(ordinal)))
        {
            throw KeyMismatch($"has {name}");
        }

        if (!isKey && route.IsExcluded(name))
        {
            return new FieldPlan(name, fieldName, -1, UnfaithfulType.Instance);
        }

        if (ordinal < 0)
        {
            throw SchemaDrift.UnknownColumns(table, [name], []);
        }

        var column = route.Target.Columns[ordinal];
        if (column.Generated)
        {
            return new FieldPlan(name, fieldName, -1, UnfaithfulType.Instance);
        }

        if (route.SourceOf(ordinal)?.Unfit is { } unfit)
        {
            throw new FaultException(new Fault(FaultKind.Poison, "type-unfit", $"Column {name} of {table.Name}: {unfit}",
                "Change the target's column to a type that docs/types-mariadb.md names, or exclude it in the migration file; the lane resumes by itself"));
        }

        // What the value was written from is the source's type, whatever the target makes of it.
        var written = route.TypeOf(ordinal);
        var type = !isKey && route.ReadAgainOf(ordinal) == ReadAgain.Always ? UnfaithfulType.Instance
            : known is null ? LogicalTypes.Assume(written, settings)
            : LogicalTypes.Resolve(known, written, settings);
        if (settings.IsMySqlFamily)
        {
            type = MappedTypes.Of(type, known, written, route.MappingOf(ordinal), route.SourceOf(ordinal));
        }

        if (isKey)
        {
            return new FieldPlan(name, fieldName, ordinal, type);
        }

        var nullHasDefault = route.SourceOf(ordinal)?.NullHasDefault ?? column is { HasDefault: true, NotNull: false };
        return ZeroDates.Mark(Defaults.Mark(Row(name, fieldName, ordinal, type, written), known, nullHasDefault, settings), known, route, settings);
    }

    private FieldPlan Row(string name, string fieldName, int ordinal, LogicalType type, ColumnType written) => new(name, fieldName, ordinal, type)
    {
        NullIsSuspect = !settings.PlainText && !settings.IsMySqlFamily && UnfaithfulTypes.IsNullAmbiguous(written, settings),
        SuspectValue = !settings.PlainText && table.Route!.SourceOf(ordinal) is { ZeroMayBeInfinite: true } ? "00:00:00"u8.ToArray() : null,
    };

    /// <summary>The fault of a row with fields the target has no column for, naming all of them and what else does not fit.</summary>
    /// <param name="names">All fields of the row.</param>
    public FaultException Drifted(IEnumerable<string> names)
    {
        var route = table.Route!;
        var columns = names.Select(name => schema?.Field(name)?.SourceColumn ?? FieldNames.ToColumn(name, route, settings.FieldNames)).ToHashSet(StringComparer.Ordinal);
        return SchemaDrift.UnknownColumns(
            table,
            [.. columns.Where(column => route.OrdinalOfSource(column) < 0 && !route.IsExcluded(column))],
            [.. table.Expected.Where(ordinal => !columns.Contains(route.SourceColumns[ordinal])).Select(ordinal => route.Target.Columns[ordinal].Name)]);
    }

    /// <summary>Opens a row in the batch.</summary>
    public void Begin(ChangeBatch batch) => batch.BeginRow(table.Route!);

    /// <summary>The same for the open row as it was, or for a row of which no more is known.</summary>
    public void BeginBefore(ChangeBatch batch)
    {
        if (batch.IsRowOpen)
        {
            batch.BeginBefore();
        }
        else
        {
            Begin(batch);
        }
    }

    /// <summary>Checks that a key had all its parts.</summary>
    /// <exception cref="FaultException">Poison: a part is missing.</exception>
    public void CheckKey(int met)
    {
        if (met != table.Route!.Key.Columns.Count)
        {
            throw KeyMismatch($"has {met} column(s)");
        }
    }

    private FaultException KeyMismatch(string what)
    {
        var route = table.Route!;
        var wanted = string.Join(", ", route.Key.Columns.Select(ordinal => route.SourceColumns[ordinal]));
        return new FaultException(new Fault(
            FaultKind.Poison,
            "key-mismatch",
            $"The record key of {table.Name} {what}, but the target identifies rows by {wanted} ({route.Key.Name})",
            "Make the connector's key (primary key, replica identity index, message.key.columns) and the target's key the same columns"));
    }
}

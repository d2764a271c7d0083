using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Domain.Tables;

/// <summary>Where changes of one source table go: mapping and target catalog joined. Immutable; a schema change makes a new one.</summary>
public sealed class TableRoute
{
    private readonly Dictionary<string, int> ordinals;
    private readonly OriginColumn?[] sources;

    /// <summary>Joins a mapping with the target table it names.</summary>
    /// <param name="mapping">The mapping of the migration file.</param>
    /// <param name="target">The target table from its catalog.</param>
    /// <param name="key">The key by which source and target identify rows.</param>
    /// <param name="source">Columns of the source by name; null where its catalog is not read (another engine, the embedded log).</param>
    public TableRoute(TableMapping mapping, TargetTable target, UniqueKey key, IReadOnlyDictionary<string, OriginColumn>? source = null)
    {
        Mapping = mapping;
        Target = target;
        Key = key;
        ordinals = new Dictionary<string, int>(target.Columns.Count, StringComparer.Ordinal);
        var renamed = mapping.Rename.ToDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);
        SourceColumns = new string[target.Columns.Count];
        for (var i = 0; i < target.Columns.Count; i++)
        {
            var name = target.Columns[i].Name;
            SourceColumns[i] = renamed.GetValueOrDefault(name, name);
            ordinals[SourceColumns[i]] = i;
        }

        SourceIsKnown = source is not null;
        sources = [.. SourceColumns.Select((name, i) => target.Columns[i].Generated || mapping.Exclude.Contains(name) ? null : source?.GetValueOrDefault(name))];
    }

    /// <summary>The mapping this route came from.</summary>
    public TableMapping Mapping { get; }

    /// <summary>Why no event of this table may be written now; null while they may.</summary>
    public Fault? Halted { get; init; }

    /// <summary>Name in the source.</summary>
    public TableName Source => Mapping.Source;

    /// <summary>The target table.</summary>
    public TargetTable Target { get; }

    /// <summary>The key that identifies rows: the record key's columns, in the target's index order.</summary>
    public UniqueKey Key { get; }

    /// <summary>Rows have no key: <see cref="Key"/> has no columns.</summary>
    public bool IsKeyless => Mapping.Keyless;

    /// <summary>Source name of each target column, by ordinal.</summary>
    public string[] SourceColumns { get; }

    /// <summary>Ordinal in the target of a source column; -1 where the target has none.</summary>
    public int OrdinalOfSource(string sourceColumn) => ordinals.GetValueOrDefault(sourceColumn, -1);

    /// <summary>Whether the source's catalog was read, so that a column without an entry there is known not to exist.</summary>
    public bool SourceIsKnown { get; }

    /// <summary>The source's column that feeds a target column; null where there is none, or it is not known.</summary>
    public OriginColumn? SourceOf(int ordinal) => sources[ordinal];

    /// <summary>What the migration file says of the column that feeds a target column.</summary>
    public ColumnMapping MappingOf(int ordinal) => Mapping.Columns.GetValueOrDefault(SourceColumns[ordinal], ColumnMapping.None);

    /// <summary>The type events of a column were written from: the source's, or the target's where that is not known.</summary>
    public ColumnType TypeOf(int ordinal) => sources[ordinal]?.Type ?? Target.Columns[ordinal].Type;

    /// <summary>Whose values of a column are read again. A key is what rows are read by, so never a key's.</summary>
    public ReadAgain ReadAgainOf(int ordinal) => Key.Columns.Contains(ordinal) ? ReadAgain.Never
        : Mapping.Reselect.Contains(SourceColumns[ordinal]) ? ReadAgain.Always
        : sources[ordinal]?.ReadAgain ?? ReadAgain.Never;

    /// <summary>This route with what is known of the source.</summary>
    public TableRoute WithSource(IReadOnlyDictionary<string, OriginColumn> source) => new(Mapping, Target, Key, source);

    /// <summary>Whether the migration file leaves this source column out.</summary>
    public bool IsExcluded(string sourceColumn) => Mapping.Exclude.Contains(sourceColumn);

    /// <summary><c>source → target</c>.</summary>
    public override string ToString() => Source == Target.Name ? Source.ToString() : $"{Source} → {Target.Name}";
}

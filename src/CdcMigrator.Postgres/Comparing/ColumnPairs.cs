using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>Columns of both sides matched by the migration file's names, and the key found among them. Pure.</summary>
internal sealed class ColumnPairs
{
    private readonly List<ColumnPair> columns = [];
    private readonly List<string> notCompared = [];
    private readonly List<string> refusals = [];
    private readonly SideTable source;
    private readonly SideTable target;

    public ColumnPairs(TableMapping mapping, SideTable source, SideTable target, SideKey? key)
    {
        this.source = source;
        this.target = target;
        var keyNames = key is null ? [] : key.Columns.Select(ordinal => target.Columns[ordinal].Name).ToList();
        foreach (var column in source.Columns)
        {
            Match(mapping, column, keyNames);
        }

        refusals.AddRange(mapping.Rename.Where(name => source.Find(name.Key) is null).Select(name => $"{source.Name} in the source has no column {name.Key}, which 'rename:' names"));
        var matched = columns.Select(pair => pair.Target.Name).ToHashSet(StringComparer.Ordinal);
        notCompared.AddRange(target.Columns.Select(column => column.Name).Where(name => !matched.Contains(name) && !notCompared.Contains(name)));
        Key = [.. keyNames.Select(name => columns.FindIndex(pair => pair.Target.Name == name))];
        if (key is not null)
        {
            CheckKey(key, keyNames);
        }

        if (columns.Count == 0)
        {
            refusals.Add("no column is on both sides");
        }
    }

    /// <summary>Columns compared, in the source's order.</summary>
    public IReadOnlyList<ColumnPair> Columns => columns;

    /// <summary>Ordinals of the key's columns among them, in the target's index order.</summary>
    public IReadOnlyList<int> Key { get; }

    /// <summary>Columns of either side that are left out.</summary>
    public IReadOnlyList<string> NotCompared => notCompared;

    /// <summary>Why the table cannot be compared; null where it can.</summary>
    public string? Refusal => refusals.Count == 0 ? null : string.Join("; ", refusals);

    /// <summary>Whether both sides have an index that gives the rows in the same order.</summary>
    public bool SortsAlike { get; private set; }

    private void Match(TableMapping mapping, SideColumn column, List<string> key)
    {
        var name = mapping.Rename.GetValueOrDefault(column.Name, column.Name);
        var isKey = key.Contains(name);
        if (mapping.Exclude.Contains(column.Name))
        {
            notCompared.Add(column.Name);
            return;
        }

        if (target.Find(name) is not { } other)
        {
            if (column.Generated)
            {
                notCompared.Add(column.Name);
                return;
            }

            refusals.Add($"column {column.Name} of the source has no counterpart {name} in {target.Name} and is not excluded");
            return;
        }

        // One that is generated on one side only is compared: what the source computes no event of an update carries, and what the target computes may not be the source's value.
        if (column.Generated && other.Generated && !isKey)
        {
            notCompared.Add(column.Name);
            return;
        }

        if (ColumnForms.Of(column.Type, other.Type) is not { } form)
        {
            refusals.Add($"column {column.Name} is {column.Declared} in the source and {other.Declared} in the target, of which no form is known that is equal where values are");
            return;
        }

        columns.Add(new ColumnPair(column, other, new ComparedColumn(column.Name, name, form)
        {
            IsFreeText = ColumnForms.IsFreeText(column.Type) || ColumnForms.IsFreeText(other.Type),
            IsNullable = !column.NotNull || !other.NotNull,
            SourceType = isKey ? ColumnForms.KeyType(column.Type, other.Type) : column.Type.Sql,
            TargetType = isKey ? ColumnForms.KeyType(other.Type, column.Type) : other.Type.Sql,
            SourceDeclaration = column.Type.Declaration,
            SourceEquality = column.Equality,
            TargetEquality = other.Equality,
        }));
    }

    private void CheckKey(SideKey key, List<string> names)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (Key[i] < 0)
            {
                refusals.Add($"column {names[i]} is part of the target's key {key.Name} and is not compared");
                return;
            }

            var pair = columns[Key[i]];
            if (!ColumnForms.CanBeKey(pair.Source.Type, pair.Target.Type, pair.Compared.Form))
            {
                refusals.Add($"key column {pair.Source.Name} is {pair.Source.Declared} in the source and {pair.Target.Declared} in the target: rows of one side cannot be found on the other");
                return;
            }
        }

        string[] own = [.. Key.Select(ordinal => columns[ordinal].Source.Name)];
        if (SourceKey(own) is not { } there)
        {
            refusals.Add($"the source identifies rows of {source.Name} otherwise than by {string.Join(", ", own)}, which is the target's key {key.Name}");
            return;
        }

        SortsAlike = key.OneWay && there.OneWay && own.SequenceEqual(NamesOf(there)) && Key.All(ordinal => ColumnForms.SortsAlike(columns[ordinal].Source, columns[ordinal].Target));
    }

    /// <summary>The source's index over these columns: the one by which its changes name their rows.</summary>
    private SideKey? SourceKey(string[] names)
    {
        var identity = source.Keys.FirstOrDefault(key => key.IsPrimary) ?? source.Keys.FirstOrDefault(key => key.IsIdentity);
        return (identity is null ? source.Keys : [identity]).FirstOrDefault(key => NamesOf(key).ToHashSet(StringComparer.Ordinal).SetEquals(names));
    }

    private IEnumerable<string> NamesOf(SideKey key) => key.Columns.Select(ordinal => source.Columns[ordinal].Name);
}

using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>
/// What the target's schema lacks, or has otherwise, after the cutover. Pure. What would lose or refuse rows is an error; what the application may notice a warning;
/// what was probably meant, information. A table in which nothing is found passes.
/// </summary>
/// <param name="isSameEngine">Both sides are PostgreSQL: types, defaults and definitions are spelt alike.</param>
public sealed class SchemaParity(bool isSameEngine)
{
    /// <summary>Compares every table of a migration.</summary>
    public IReadOnlyList<CheckResult> Of(
        IReadOnlyList<TableMapping> mappings, IReadOnlyDictionary<TableName, SchemaTable> source, IReadOnlyDictionary<TableName, SchemaTable> target)
    {
        ArgumentNullException.ThrowIfNull(mappings);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        var results = new List<CheckResult>();
        foreach (var mapping in mappings)
        {
            var table = mapping.Source.ToString();
            var found = source.GetValueOrDefault(mapping.Source) is not { } here ? [Error("table", $"the source has no table {mapping.Source}", "Create it, or correct 'tables:'")]
                : target.GetValueOrDefault(mapping.Target) is not { } there ? [Error("table", $"the target has no table {mapping.Target}", "Create it, or correct 'tables:'")]
                : Of(mapping, here, there).ToList();
            results.AddRange(found.Count == 0
                ? [new CheckResult(table, CheckState.Pass, "the same") { Table = table, Severity = Severity.Info }]
                : found.Select(result => result with { Name = $"{table} {result.Name}", Table = table }));
        }

        return results;
    }

    private IEnumerable<CheckResult> Of(TableMapping mapping, SchemaTable source, SchemaTable target) =>
        Columns(mapping, source, target).Concat(Keys(mapping, source, target)).Concat(isSameEngine ? Constraints(mapping, source, target) : []).Concat(Rest(source, target));

    private IEnumerable<CheckResult> Columns(TableMapping mapping, SchemaTable source, SchemaTable target)
    {
        var paired = new HashSet<string>(StringComparer.Ordinal);
        foreach (var column in source.Columns.Where(column => !mapping.Exclude.Contains(column.Name)))
        {
            var name = mapping.Rename.GetValueOrDefault(column.Name, column.Name);
            if (target.Columns.FirstOrDefault(other => other.Name == name) is not { } other)
            {
                yield return Error($"{column.Name} column", $"the target has no column {name}", "Add it, or use 'exclude:' or 'rename:'") with { Column = column.Name };
                continue;
            }

            paired.Add(name);
            foreach (var result in Columns(column, other))
            {
                yield return result with { Column = column.Name, Name = $"{column.Name} {result.Name}" };
            }
        }

        foreach (var extra in target.Columns.Where(column => !paired.Contains(column.Name)))
        {
            var canStayAway = !extra.NotNull || extra.Default is not null || extra.Identity.Length > 0 || extra.Generated is not null;
            yield return canStayAway
                ? Info("extra column", $"only the target has column {extra.Name}")
                : Error("extra column", $"only the target has column {extra.Name}, which is NOT NULL without a default", "Give it a default, or drop its NOT NULL");
        }
    }

    private IEnumerable<CheckResult> Columns(SchemaColumn source, SchemaColumn target)
    {
        if (isSameEngine && source.Type != target.Type)
        {
            var message = $"{source.Type} in the source is {target.Type} in the target";
            yield return Widening.Is(source.Type, target.Type) ? Info("type", message)
                : Warning("type", message, "Make sure that every value fits and means the same") with { Source = source.Type, Target = target.Type };
        }

        if (source.NotNull != target.NotNull)
        {
            yield return target.NotNull
                ? Warning("nullability", "NOT NULL in the target only: a NULL of the source would halt its lane", "ALTER COLUMN … DROP NOT NULL on the target")
                : Warning("nullability", "NOT NULL in the source only: after the cutover NULL would be accepted", "ALTER COLUMN … SET NOT NULL on the target");
        }

        if (!isSameEngine)
        {
            yield break;
        }

        if (Normal.Expression(source.Default) != Normal.Expression(target.Default) && source.Identity.Length + target.Identity.Length == 0)
        {
            yield return source.Default is null ? Info("default", "a default in the target only")
                : Warning("default", target.Default is null ? "a default in the source only" : "another default", "ALTER COLUMN … SET DEFAULT on the target") with { Source = source.Default, Target = target.Default };
        }

        // BY DEFAULT in the target of an ALWAYS is what applying changes wants; the application notices it only where it writes values of its own.
        if (source.Identity != target.Identity && (source.Identity.Length == 0 || target.Identity.Length == 0))
        {
            yield return source.Identity.Length == 0 ? Info("identity", "an identity in the target only")
                : target.Default is not null ? Info("identity", "an identity in the source is a default in the target")
                : Error("identity", "an identity in the source only: a row without a value would be refused after the cutover", "ADD GENERATED BY DEFAULT AS IDENTITY on the target");
        }

        if (Normal.Expression(source.Generated) != Normal.Expression(target.Generated))
        {
            yield return Warning("generated", source.Generated is null ? "computed in the target only" : target.Generated is null ? "computed in the source only" : "computed otherwise", "Give both the same expression")
                with
            { Source = source.Generated, Target = target.Generated };
        }

        if (source.Collation != target.Collation)
        {
            yield return Warning("collation", $"{source.Collation ?? "the database's collation"} in the source, {target.Collation ?? "the database's collation"} in the target", "Text may be sorted and compared otherwise");
        }
    }

    private IEnumerable<CheckResult> Keys(TableMapping mapping, SchemaTable source, SchemaTable target)
    {
        var left = target.Keys.ToList();
        foreach (var key in source.Keys.Where(key => key.IsValid && !key.Columns.Any(mapping.Exclude.Contains)))
        {
            var columns = key.Columns.Select(column => mapping.Rename.GetValueOrDefault(column, column)).Select(column => isSameEngine ? Normal.Expression(column)! : column).ToHashSet(StringComparer.Ordinal);
            var same = left.FindAll(other => columns.SetEquals(other.Columns.Select(column => isSameEngine ? Normal.Expression(column)! : column))
                && Normal.Expression(key.Predicate) == Normal.Expression(other.Predicate));
            var what = $"{(key.IsPrimary ? "primary key" : "unique key")} ({string.Join(", ", key.Columns)})";
            if (same.Count == 0)
            {
                yield return Error($"key {key.Name}", $"the target has no {what}: it would accept rows twice", "Create it on the target");
                continue;
            }

            left.RemoveAll(same.Contains);
            if (!same.Exists(other => other.IsValid))
            {
                yield return Error($"key {key.Name}", $"the target's {same[0].Name} is not valid", "REINDEX it, or drop and create it again");
            }

            if (key.IsImmediate && !same.Exists(other => other.IsImmediate))
            {
                yield return Warning($"key {key.Name}", $"the target's {same[0].Name} is deferrable, the source's is not", "Create it NOT DEFERRABLE");
            }

            if (!same.Exists(other => other.NullsNotDistinct == key.NullsNotDistinct))
            {
                yield return Warning($"key {key.Name}", $"NULLs are {(key.NullsNotDistinct ? "equal" : "distinct")} in the source, not so in the target", "Create it with the source's NULLS [NOT] DISTINCT");
            }

            if (key.IsPrimary && !same.Exists(other => other.IsPrimary))
            {
                yield return Warning($"key {key.Name}", "the primary key of the source is a mere unique key in the target", "ADD PRIMARY KEY USING INDEX on the target");
            }
        }

        foreach (var extra in left)
        {
            yield return Warning($"key {extra.Name}", $"only the target has {(extra.IsPrimary ? "primary key" : "unique key")} ({string.Join(", ", extra.Columns)}): rows of the source may break it", "Drop it, or make sure that the source holds to it");
        }
    }

    private static IEnumerable<CheckResult> Constraints(TableMapping mapping, SchemaTable source, SchemaTable target)
    {
        // A column's new name stands in definitions too; where names change, only the kind and number can be told.
        if (mapping.Rename.Count > 0 || mapping.Exclude.Count > 0)
        {
            yield break;
        }

        var left = target.Constraints.ToList();
        foreach (var constraint in source.Constraints)
        {
            var index = left.FindIndex(other => other.Kind == constraint.Kind && Normal.Definition(other.Definition) == Normal.Definition(constraint.Definition));
            if (index < 0)
            {
                yield return Warning($"constraint {constraint.Name}", $"the target has no such {constraint.Kind}", "Create it on the target") with { Source = constraint.Definition };
                continue;
            }

            left.RemoveAt(index);
        }

        foreach (var extra in left)
        {
            yield return Warning($"constraint {extra.Name}", $"only the target has this {extra.Kind}: rows of the source may break it", "Drop it, or make sure that the source holds to it") with { Target = extra.Definition };
        }
    }

    private IEnumerable<CheckResult> Rest(SchemaTable source, SchemaTable target)
    {
        foreach (var trigger in target.Triggers.Where(trigger => trigger.FiresWhenApplying))
        {
            yield return Error($"trigger {trigger.Name}", "it fires while changes are applied, and would write again what the source's has written and the log brings", $"ALTER TABLE … ENABLE TRIGGER {trigger.Name} on the target (not ALWAYS, not REPLICA)");
        }

        foreach (var trigger in isSameEngine ? source.Triggers.Where(trigger => trigger.IsEnabled && !target.Triggers.Any(other => other.Name == trigger.Name && other.IsEnabled)) : [])
        {
            yield return Warning($"trigger {trigger.Name}", "the target has no such trigger, or it is disabled", "Create or enable it before the cutover");
        }

        foreach (var index in target.BrokenIndexes)
        {
            yield return Error($"index {index}", "it is not valid or not ready: it enforces nothing, or answers no query", "REINDEX it, or drop and create it again");
        }

        if (!target.HasReplicaIdentity)
        {
            yield return Warning("replica identity", "the target's updates and deletes could not be streamed back", "ALTER TABLE … REPLICA IDENTITY FULL on the target, or give it a primary key");
        }
    }

    private static CheckResult Error(string name, string message, string fix) => new(name, CheckState.Fail, message) { Fix = fix };

    private static CheckResult Warning(string name, string message, string fix) => new(name, CheckState.Fail, message) { Severity = Severity.Warning, Fix = fix };

    private static CheckResult Info(string name, string message) => new(name, CheckState.Pass, message) { Severity = Severity.Info };
}

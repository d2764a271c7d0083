using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Preflight;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>What follows from a table's definition: what preflight says of the source's side, and what only a survey asks. Pure.</summary>
internal static class TableRules
{
    public static IReadOnlyList<Finding> Of(AuditedTable table, TableMapping mapping, Func<ColumnType, Carriage>? carriage)
    {
        Finding[] findings = [.. TableChecks.Source(mapping, table.Catalog, carriage), .. Structure(table), .. Columns(table, mapping)];
        return [.. findings.Select(finding => finding with { Table = mapping.Source.ToString() })];
    }

    private static IEnumerable<Finding> Structure(AuditedTable table)
    {
        var name = table.Catalog.Name;
        if (table.Deferrable.Count > 0)
        {
            yield return new(Severity.Warning, "deferrable-key", $"Keys of {name} are deferrable: {string.Join(", ", table.Deferrable)}. The target does not enforce a deferrable one while changes are applied",
                "Create them NOT DEFERRABLE in the target, or check them there before the cutover");
        }

        if (table.IsPartition)
        {
            yield return new(Severity.Warning, "partition", $"{name} is a partition of another table: a publication with publish_via_partition_root names changes by the root", "List the partitioned table instead");
        }
        else if (table.Parents.Count > 0)
        {
            yield return new(Severity.Warning, "inheritance", $"{name} inherits from {string.Join(", ", table.Parents)}: its changes are captured under its own name, and reading the parent reads its rows too",
                "List every table of the hierarchy, and inherit in the target as in the source");
        }

        if (table.Catalog.Kind == 'r' && table.Parts > 0)
        {
            yield return new(Severity.Warning, "inheritance", $"{table.Parts} tables inherit from {name}: a query of it, a snapshot too, reads their rows, while their changes are captured under their own names",
                "List every table of the hierarchy, or turn it into a partitioned table first");
        }

        if (table.Triggers.Count > 0)
        {
            yield return new(Severity.Warning, "trigger", $"Triggers of {name}: {string.Join(", ", table.Triggers)}. What they write in the source is captured like any change; they do not fire in the target while changes are applied",
                "Create them in the target as ordinary triggers (not ENABLE ALWAYS or REPLICA), so that nothing is written twice");
        }

        if (table.Rules.Count > 0)
        {
            yield return new(Severity.Warning, "rule", $"{name} has rules that rewrite statements: {string.Join(", ", table.Rules)}", "Leave them out of the target until the cutover");
        }

        if (table.ToastBytes > 0)
        {
            var columns = table.Catalog.Columns.Where(column => column.Toastable).Select(column => column.Column.Name);
            yield return new(Severity.Info, "toast", $"{name} stores values out of line ({table.ToastBytes:N0} bytes; columns that may: {string.Join(", ", columns)}): an update that leaves such a value alone does not carry it, and it is left alone in the target",
                "Nothing to do; REPLICA IDENTITY FULL would carry it, at the price of more WAL");
        }
    }

    private static IEnumerable<Finding> Columns(AuditedTable table, TableMapping mapping)
    {
        foreach (var column in table.Catalog.Columns.Where(column => !mapping.Exclude.Contains(column.Column.Name)))
        {
            var name = column.Column.Name;
            if (column.Column.Generated)
            {
                yield return new Finding(Severity.Info, "generated", $"Column {name} of {table.Catalog.Name} is generated: events do not carry it, and the target computes it", "Generate it in the target by the same expression") { Column = name };
            }

            if (column.Column.IdentityAlways)
            {
                yield return new Finding(Severity.Info, "identity-always", $"Column {name} of {table.Catalog.Name} is GENERATED ALWAYS AS IDENTITY: it is written with OVERRIDING SYSTEM VALUE", "Nothing to do; its sequence is moved with the cutover") { Column = name };
            }

            if (Sort(table.Sorts.GetValueOrDefault(name, ""), column.Declared) is { } sort)
            {
                yield return sort with { Column = name };
            }

            if (table.Nondeterministic.Contains(name))
            {
                yield return new Finding(Severity.Warning, "nondeterministic-collation", $"Column {name} of {table.Catalog.Name} has a collation under which different texts are equal", "Create the same collation in the target: a unique key would else accept or refuse other rows") { Column = name };
            }
        }
    }

    private static Finding? Sort(string sort, string declared) => sort switch
    {
        "enum" or "enum[]" => new(Severity.Info, "enum", $"{declared} is an enum", "Create it in the target with all labels; a label that is added later has to be added there first"),
        "domain" or "domain[]" => new(Severity.Info, "domain", $"{declared} is a domain", "Create it in the target; a check that is stricter there stops lanes"),
        "composite" or "composite[]" => new(Severity.Info, "composite", $"{declared} is a composite type", "Create it in the target with the same fields in the same order"),
        "range" => new(Severity.Info, "range", $"{declared} is a range", "Nothing to do; a range type of your own has to exist in the target"),
        "array" => new(Severity.Info, "array", $"{declared} is an array", "Nothing to do; shapes that events do not carry are findings of their own"),
        "citext" => new(Severity.Info, "citext", $"{declared} compares without case", "Create extension citext in the target; a unique key on text would accept rows that differ in case only"),
        _ => null,
    };
}

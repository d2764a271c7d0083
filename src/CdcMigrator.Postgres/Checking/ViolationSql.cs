using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using Npgsql;

namespace CdcMigrator.Postgres.Checking;

/// <summary>The query for rows that break a constraint: the key of each, and of a foreign key whose parent is told the key it refers to.</summary>
internal sealed class ViolationSql
{
    private readonly ConstraintCatalog constraint;
    private readonly ComparedTable table;
    private readonly RowSql rows;
    private readonly List<string> parentKey;

    /// <param name="constraint">The constraint.</param>
    /// <param name="table">Its table.</param>
    /// <param name="parent">The table it refers to, where that is one of the migration.</param>
    public ViolationSql(ConstraintCatalog constraint, ComparedTable table, ComparedTable? parent)
    {
        this.constraint = constraint;
        this.table = table;
        rows = new RowSql(table, ofSource: false);
        parentKey = ParentKey(parent);
    }

    /// <summary>Whether the key of the row that is missing is told.</summary>
    public bool TellsParent => parentKey.Count > 0;

    /// <summary>Columns of the row's own key.</summary>
    public int KeyColumns => rows.Key.Count;

    /// <summary>The query over all rows, or over those of a list of keys where that is cheaper.</summary>
    public string Text(IReadOnlyList<RowKey>? keys, NpgsqlParameterCollection parameters)
    {
        var selected = rows.Key.Concat(parentKey).ToList();
        var select = $"select {(selected.Count == 0 ? "1" : string.Join(", ", selected))} from ";
        var limit = $" limit {ConstraintFact.MostViolations + 1}";
        return constraint.Kind switch
        {
            ConstraintKind.ForeignKey => $"{select}{(keys is { Count: > 0 } && !table.IsKeyless ? rows.FromKeys(keys, parameters) : rows.From)} where {Orphan()}{limit}",
            ConstraintKind.Check => $"{select}(select * from {rows.Name.Sql} where not ({constraint.Condition})) as t{limit}",
            ConstraintKind.NotNull => $"{select}{rows.From} where t.{TableName.Quote(constraint.Columns[0])} is null{limit}",
            _ => $"{select}{Held("t")} where exists (select from {Held("o")} where (o.cdcm_table, o.cdcm_row) <> (t.cdcm_table, t.cdcm_row) and {Collides()}){limit}",
        };
    }

    /// <summary>MATCH SIMPLE asks nothing of a row with a NULL in it; MATCH FULL refuses one that has only some.</summary>
    private string Orphan()
    {
        var columns = constraint.Columns.Select(column => $"t.{TableName.Quote(column)}").ToList();
        var all = string.Join(" and ", columns.Select(column => $"{column} is not null"));
        var any = string.Join(" or ", columns.Select(column => $"{column} is not null"));
        var match = string.Join(" and ", columns.Select((column, i) => $"p.{TableName.Quote(constraint.ParentColumns[i])} {constraint.Operators[i]} {column}"));
        var missing = $"not exists (select from {constraint.Parent!.Value.Sql} as p where {match})";
        return constraint.MatchesFull ? $"({any}) and (not ({all}) or {missing})" : $"{all} and {missing}";
    }

    /// <summary>The table with what the constraint's index holds, under names no column has.</summary>
    private string Held(string alias) =>
        $"(select ctid as cdcm_row, tableoid as cdcm_table, {string.Join(", ", constraint.Expressions.Select((expression, i) => $"{expression} as cdcm_{i}"))}, * from {rows.Name.Sql}"
        + $"{(constraint.Predicate is { } predicate ? $" where {predicate}" : "")}) as {alias}";

    private string Collides() => string.Join(" and ", constraint.Expressions.Select((_, i) =>
    {
        var equal = $"t.cdcm_{i} {constraint.Operators[i]} o.cdcm_{i}";
        return constraint.NullsNotDistinct ? $"({equal} or (t.cdcm_{i} is null and o.cdcm_{i} is null))" : equal;
    }));

    /// <summary>The referring columns in the form and order of the parent's key; none where the parent's rows are told apart by other columns, or values may have another text there.</summary>
    private List<string> ParentKey(ComparedTable? parent)
    {
        var key = new List<string>();
        foreach (var ordinal in constraint.Kind == ConstraintKind.ForeignKey && parent is not null ? parent.Key : [])
        {
            var referenced = parent!.Columns[ordinal];
            var at = constraint.ParentColumns.ToList().IndexOf(referenced.Target);
            var own = at < 0 ? -1 : table.Columns.ToList().FindIndex(column => column.Target == constraint.Columns[at]);
            if (own < 0 || table.Columns[own].Form != referenced.Form)
            {
                return [];
            }

            key.Add(rows.Values[own]);
        }

        return key.Count == constraint.ParentColumns.Count ? key : [];
    }
}

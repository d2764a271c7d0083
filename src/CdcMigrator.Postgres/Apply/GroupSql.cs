using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// The statements for one kind and column set of a table. Text is cast to the column's type without modifier, because an explicit cast to
/// <c>varchar(3)</c> or <c>bit(3)</c> cuts silently; the assignment to the column then complains.
/// </summary>
internal sealed record GroupSql
{
    /// <summary>Statement whose rows are text arrays, one parameter a column; empty where nothing is to be written.</summary>
    public required string FromArrays { get; init; }

    /// <summary>The same from a staging table, whose name <see cref="Named"/> puts in.</summary>
    public required string FromStage { get; init; }

    /// <summary>Of updates: the ordinals, from 1, of the rows that do not exist; parameters as for <see cref="FromArrays"/> but the key's only.</summary>
    public required string MissingFromArrays { get; init; }

    /// <summary>The same from a staging table.</summary>
    public required string MissingFromStage { get; init; }

    /// <summary>Creates the staging table named by <see cref="Named"/>: columns c0, c1, … with the target's exact types, and n.</summary>
    public required string CreateStage { get; init; }

    /// <summary>Of upserts: copies rows straight into the table, which refuses those it has.</summary>
    public string CopyDirect { get; init; } = "";

    /// <summary>Whether that pays with this table now.</summary>
    public DirectCopy DirectCopy { get; } = new();

    /// <summary>Every row must be affected, else its key is taken by a row whose key differs in text only.</summary>
    public bool AllMustBeAffected { get; init; }

    /// <summary>Columns in parameter order: ordinals of the route's columns.</summary>
    public required int[] Columns { get; init; }

    /// <summary>Puts a staging table's name in; a NUL stands for it, which no identifier can hold.</summary>
    public static string Named(string sql, string stage) => sql.Replace("\0", stage, StringComparison.Ordinal);

    public static GroupSql Write(RoutePlan plan, WriteKind kind, int[] columns)
    {
        var target = plan.Route.Target;
        var table = target.Name.Sql;
        if (kind == WriteKind.Truncate)
        {
            // TRUNCATE refuses a referenced table even in the replica role, and older snapshots would see it.
            return new GroupSql { Columns = columns, FromArrays = $"delete from {table}", FromStage = "", MissingFromArrays = "", MissingFromStage = "", CreateStage = "" };
        }

        string Name(int i) => TableName.Quote(target.Columns[columns[i]].Name);
        string Cast(int i) => $"s.c{i}::{target.Columns[columns[i]].Type.Sql}";
        var all = Enumerable.Range(0, columns.Length).ToArray();
        var arrays = ArraySource(all, "s");
        var keyParts = plan.Keys.Select(key => (Key: key, Index: Array.IndexOf(columns, key.Ordinal))).ToArray();
        var others = all.Where(i => plan.Keys.All(key => key.Ordinal != columns[i])).ToArray();
        var names = string.Join(", ", all.Select(Name));

        string Join(Func<int, string> value) => string.Join(" and ", keyParts.Select(part =>
            $"t.{part.Key.Sql} {part.Key.Equality} {value(part.Index)}" + (part.Key.Exact ? "" : $" and {SameText($"t.{part.Key.Sql}", $"({value(part.Index)})::{part.Key.Declared}")}")));

        string Statement(string from, Func<int, string> value) => kind switch
        {
            WriteKind.Delete => $"delete from {table} as t using {from} where {Join(value)}",
            WriteKind.Update when others.Length == 0 => "",
            WriteKind.Update => $"update {table} as t set {string.Join(", ", others.Select(i => $"{Name(i)} = {value(i)}"))} from {from} where {Join(value)}",
            _ => $"insert into {table} as t ({names}) overriding system value select {string.Join(", ", all.Select(value))} from {from} "
                + $"on conflict ({string.Join(", ", plan.Keys.Select(key => key.Sql))}) do {OnConflict()}",
        };

        string OnConflict()
        {
            var written = plan.ExactKey ? others : all;
            if (written.Length == 0)
            {
                return "nothing";
            }

            var set = $"update set {string.Join(", ", written.Select(i => $"{Name(i)} = excluded.{Name(i)}"))}";
            return plan.ExactKey ? set : $"{set} where {string.Join(" and ", plan.Keys.Where(key => !key.Exact).Select(key => SameText($"t.{key.Sql}", $"excluded.{key.Sql}")))}";
        }

        // The key's arrays are renumbered from $1: only they are bound.
        var keyArrays = $"unnest({string.Join(", ", keyParts.Select((_, n) => $"${n + 1}::text[]"))}) with ordinality as s({string.Join(", ", keyParts.Select(part => $"c{part.Index}"))}, n)";
        string Missing(string from, Func<int, string> value) => $"select s.n::int from {from} where not exists (select from {table} as t where {Join(value)})";
        return new GroupSql
        {
            Columns = columns,
            FromArrays = Statement(arrays, Cast),
            FromStage = Statement("pg_temp.\0 as s", i => $"s.c{i}"),
            MissingFromArrays = Missing(keyArrays, Cast),
            MissingFromStage = Missing("pg_temp.\0 as s", i => $"s.c{i}"),
            CreateStage = $"create temporary table \0 on commit delete rows as select {string.Join(", ", all.Select(i => $"t.{Name(i)} as c{i}"))}, 0::int as n from {table} as t with no data",
            CopyDirect = $"copy {table} ({names}) from stdin",
            AllMustBeAffected = kind == WriteKind.Upsert && !plan.ExactKey,
        };
    }

    private static string ArraySource(int[] columns, string alias) =>
        $"unnest({string.Join(", ", columns.Select(i => $"${i + 1}::text[]"))}) as {alias}({string.Join(", ", columns.Select(i => $"c{i}"))})";

    private static string SameText(string left, string right) =>
        $"{left}::text collate pg_catalog.\"C\" = ({right})::text collate pg_catalog.\"C\"";
}

using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// What two rows of a table must not have in common, from the index that enforces it: plain columns or expressions, all rows or those of a predicate,
/// NULLs distinct or not, equality or an exclusion constraint's operators.
/// </summary>
internal sealed class UniqueRule
{
    private const string Sql = """
        select pg_catalog.pg_get_expr(i.indpred, i.indrelid), coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
            array(select pg_catalog.pg_get_indexdef(i.indexrelid, k, false) from pg_catalog.generate_series(1, i.indnkeyatts) as k order by k),
            array(select case when c.oid is null then '' else pg_catalog.format(' collate %I.%I', n.nspname, c.collname) end
                from unnest(i.indcollation::oid[]) with ordinality as k(oid, ord) left join pg_catalog.pg_collation c on c.oid = k.oid
                left join pg_catalog.pg_namespace n on n.oid = c.collnamespace where k.ord <= i.indnkeyatts order by k.ord),
            array(select pg_catalog.format('operator(%I.%s)', n.nspname, o.oprname)
                from unnest(i.indclass::oid[]) with ordinality as k(opclass, ord) join pg_catalog.pg_opclass oc on oc.oid = k.opclass
                left join pg_catalog.pg_constraint x on x.conindid = i.indexrelid and x.conexclop is not null
                join pg_catalog.pg_operator o on o.oid = coalesce(x.conexclop[k.ord], (select m.amopopr from pg_catalog.pg_amop m
                    where m.amopfamily = oc.opcfamily and m.amopstrategy = 3 and m.amoplefttype = oc.opcintype and m.amoprighttype = oc.opcintype))
                join pg_catalog.pg_namespace n on n.oid = o.oprnamespace where k.ord <= i.indnkeyatts order by k.ord),
            array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = i.indrelid and a.attnum > 0 and (a.attnum = any(i.indkey::int2[])
                or exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid
                    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = i.indrelid and d.refobjsubid = a.attnum)))
        from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
        join pg_catalog.pg_class t on t.oid = i.indrelid join pg_catalog.pg_namespace s on s.oid = t.relnamespace
        where s.nspname = $1 and t.relname = $2 and ic.relname = $3
        """;

    private const string ColumnsSql = """
        select a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), case when a.attgenerated <> '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end
        from pg_catalog.pg_attribute a left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = pg_catalog.to_regclass($1) and a.attnum > 0 and not a.attisdropped
        """;

    private readonly TableRoute route;
    private readonly string[] expressions;
    private readonly string[] operators;
    private readonly string? predicate;
    private readonly bool nullsCollide;
    private readonly string[] generated;
    private readonly Dictionary<string, string> declared;

    private UniqueRule(
        TableRoute route, TableName table, string[] expressions, string[] operators, string? predicate, bool nullsCollide, int[] columns, string[] generated, Dictionary<string, string> declared)
    {
        this.route = route;
        this.expressions = expressions;
        this.operators = operators;
        this.predicate = predicate;
        this.nullsCollide = nullsCollide;
        this.generated = generated;
        this.declared = declared;
        Table = table;
        Columns = columns;
    }

    /// <summary>The table whose rows collide: the route's, or a partition of it.</summary>
    public TableName Table { get; }

    /// <summary>Ordinals of the written columns it depends on.</summary>
    public int[] Columns { get; }

    /// <summary>Reads the rule behind an index; null where there is no such index any more.</summary>
    public static async Task<UniqueRule?> ReadAsync(NpgsqlConnection connection, TableRoute route, TableName table, string index, CancellationToken cancellationToken)
    {
        string? predicate;
        bool nullsCollide;
        string[] expressions, operators, names;
        await using (var command = new NpgsqlCommand(Sql, connection))
        {
            AddText(command, [table.Schema, table.Name, index]);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
            {
                return null;
            }

            predicate = await reader.IsDBNullAsync(0, cancellationToken) ? null : reader.GetString(0);
            nullsCollide = reader.GetBoolean(1);
            expressions = [.. reader.GetFieldValue<string[]>(2).Zip(reader.GetFieldValue<string[]>(3), (expression, collation) => $"({expression}){collation}")];
            operators = reader.GetFieldValue<string[]>(4);
            names = reader.GetFieldValue<string[]>(5);
        }

        var declared = new Dictionary<string, string>(StringComparer.Ordinal);
        var generated = new Dictionary<string, string>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand(ColumnsSql, connection))
        {
            AddText(command, [table.Sql]);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                declared[reader.GetString(0)] = reader.GetString(1);
                if (!await reader.IsDBNullAsync(2, cancellationToken))
                {
                    generated[reader.GetString(0)] = $"({reader.GetString(2)}) as {TableName.Quote(reader.GetString(0))}";
                }
            }
        }

        // What a generated column is made of is not looked up: every column may be.
        var wanted = names.Any(generated.ContainsKey) ? declared.Keys : (IEnumerable<string>)names;
        int[] columns = [.. wanted.Where(name => !generated.ContainsKey(name)).Select(route.Target.IndexOf).Where(ordinal => ordinal >= 0)];
        return operators.Length == expressions.Length
            ? new UniqueRule(route, table, expressions, operators, predicate, nullsCollide, columns, [.. names.Where(generated.ContainsKey).Select(name => generated[name])], declared)
            : null;
    }

    /// <summary>A row made of values, as common table expressions that end in the given name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">SQL of a column's value.</param>
    public string Row(string name, Func<int, string> value)
    {
        var columns = string.Join(", ", Columns.Select(column => $"({value(column)})::{declared[route.Target.Columns[column].Name]} as {Quoted(column)}"));
        return generated.Length == 0
            ? $"{name} as (select {columns})"
            : $"{name}0 as (select {columns}), {name} as (select {name}0.*, {string.Join(", ", generated)} from {name}0)";
    }

    /// <summary>Whether the row the query is about collides with the row of a common table expression.</summary>
    public string CollidesWith(string row)
    {
        return string.Join(" and ", expressions.Select((expression, i) => Same(expression, $"(select {expression} from {row})", i)).Append($"({predicate ?? "true"})"));
    }

    /// <summary>
    /// Many rows made of text arrays, as common table expressions that end in the given name: <c>"cdcm n"</c>, their keys <c>"cdcm k0"</c>…, and what the rule
    /// compares <c>"cdcm x0"</c>… Rows its predicate leaves out are not among them.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="numbers">SQL of the rows' numbers.</param>
    /// <param name="keys">SQL of the keys' texts, an array a part.</param>
    /// <param name="values">SQL of the texts of <see cref="Columns"/>.</param>
    public string Rows(string name, string numbers, IReadOnlyList<string> keys, IReadOnlyList<string> values)
    {
        var kept = string.Concat(keys.Select((_, i) => $", \"cdcm k{i}\""));
        var columns = string.Concat(Columns.Select((column, i) => $", (s.\"cdcm c{i}\")::{declared[route.Target.Columns[column].Name]} as {Quoted(column)}"));
        var parts = string.Concat(values.Select((_, i) => $", \"cdcm c{i}\""));
        var from = generated.Length == 0 ? $"{name}0" : $"{name}1";
        return $"{name}0 as (select s.\"cdcm n\"{kept}{columns} from unnest({string.Join(", ", [numbers, .. keys, .. values])}) as s(\"cdcm n\"{kept}{parts})), "
            + (generated.Length == 0 ? "" : $"{name}1 as (select {name}0.*, {string.Join(", ", generated)} from {name}0), ")
            + $"{name} as materialized (select \"cdcm n\"{kept}{string.Concat(expressions.Select((expression, i) => $", {expression} as \"cdcm x{i}\""))} from {from} where {predicate ?? "true"})";
    }

    /// <summary>Whether the row the query is about, whose columns are named without its alias, collides with a row of <see cref="Rows"/>.</summary>
    public string CollidesWithEach(string rows) =>
        string.Join(" and ", expressions.Select((expression, i) => Same(expression, $"{rows}.\"cdcm x{i}\"", i)).Append($"({predicate ?? "true"})"));

    /// <summary>Whether rows of two <see cref="Rows"/> collide.</summary>
    public string Collide(string left, string right) => string.Join(" and ", expressions.Select((_, i) => Same($"{left}.\"cdcm x{i}\"", $"{right}.\"cdcm x{i}\"", i)));

    private string Same(string left, string right, int i) => nullsCollide
        ? $"({left} {operators[i]} {right} or ({left} is null and {right} is null))"
        : $"{left} {operators[i]} {right}";

    private string Quoted(int column) => TableName.Quote(route.Target.Columns[column].Name);

    private static void AddText(NpgsqlCommand command, IEnumerable<string> values)
    {
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Text });
        }
    }
}

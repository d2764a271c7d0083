using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Checking;

/// <summary>The target's constraints that need a look, as its catalog has them.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Table">The target's table.</param>
internal sealed record ConstraintCatalog(string Name, ConstraintKind Kind, TableName Table)
{
    /// <summary>Foreign keys that refer to a partition's parent are listed once; copies for partitions are left out.</summary>
    private const string Sql = """
        with wanted as (
            select c.oid, n.nspname::text as s, c.relname::text as r from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r)
        select w.s, w.r, k.conname::text, k.contype::text, k.convalidated, pn.nspname::text, p.relname::text, k.confmatchtype = 'f',
            array(select a.attname::text from unnest(k.conkey) with ordinality as u(n, o) join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by u.o),
            array(select a.attname::text from unnest(k.confkey) with ordinality as u(n, o) join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by u.o),
            array(select pg_catalog.format('operator(%I.%s)', n.nspname, o.oprname)
                from unnest(case when k.contype = 'f' then k.conpfeqop when k.contype = 'x' then k.conexclop else array(
                    select m.amopopr from pg_catalog.pg_index i, unnest(i.indclass::oid[]) with ordinality as c(oid, o2)
                    join pg_catalog.pg_opclass f on f.oid = c.oid join pg_catalog.pg_amop m on m.amopfamily = f.opcfamily and m.amopstrategy = 3 and m.amoplefttype = f.opcintype and m.amoprighttype = f.opcintype
                    where i.indexrelid = k.conindid order by c.o2) end) with ordinality as u(n, o1)
                join pg_catalog.pg_operator o on o.oid = u.n join pg_catalog.pg_namespace n on n.oid = o.oprnamespace order by u.o1),
            array(select pg_catalog.pg_get_indexdef(i.indexrelid, x, true) from pg_catalog.pg_index i, pg_catalog.generate_series(1, i.indnkeyatts::int) as x where i.indexrelid = k.conindid and k.contype <> 'f' order by x),
            (select pg_catalog.pg_get_expr(i.indpred, i.indrelid) from pg_catalog.pg_index i where i.indexrelid = k.conindid and k.contype <> 'f'),
            coalesce((select (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean from pg_catalog.pg_index i where i.indexrelid = k.conindid and k.contype <> 'f'), false),
            case when k.contype = 'c' then pg_catalog.pg_get_expr(k.conbin, k.conrelid) end
        from wanted w join pg_catalog.pg_constraint k on k.conrelid = w.oid and k.conparentid = 0
        left join pg_catalog.pg_class p on p.oid = k.confrelid left join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
        where k.contype = 'f' or (k.contype in ('p', 'u', 'x') and k.condeferrable) or (k.contype in ('c', 'n') and not k.convalidated)
        order by w.s, w.r, k.conname
        """;

    public bool IsValidated { get; init; }

    /// <summary>Table a foreign key refers to.</summary>
    public TableName? Parent { get; init; }

    /// <summary>MATCH FULL.</summary>
    public bool MatchesFull { get; init; }

    public required IReadOnlyList<string> Columns { get; init; }

    public required IReadOnlyList<string> ParentColumns { get; init; }

    /// <summary>Equality of a foreign key (parent's column on the left) or a unique constraint, or an exclusion constraint's operators; schema-qualified.</summary>
    public required IReadOnlyList<string> Operators { get; init; }

    /// <summary>What the constraint's index holds, as expressions.</summary>
    public required IReadOnlyList<string> Expressions { get; init; }

    /// <summary>Rows an exclusion constraint is for; null for all.</summary>
    public string? Predicate { get; init; }

    public bool NullsNotDistinct { get; init; }

    /// <summary>What a CHECK demands.</summary>
    public string? Condition { get; init; }

    /// <summary>Those of some tables.</summary>
    /// <exception cref="NpgsqlException">The server does not answer, or refuses.</exception>
    public static async Task<IReadOnlyList<ConstraintCatalog>> ReadAsync(NpgsqlConnection connection, IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(name => name.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(name => name.Name).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<ConstraintCatalog>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(new ConstraintCatalog(reader.GetString(2), KindOf(reader.GetString(3)), new TableName(reader.GetString(0), reader.GetString(1)))
            {
                IsValidated = reader.GetBoolean(4),
                Parent = reader.IsDBNull(5) ? null : new TableName(reader.GetString(5), reader.GetString(6)),
                MatchesFull = reader.GetBoolean(7),
                Columns = reader.GetFieldValue<string[]>(8),
                ParentColumns = reader.GetFieldValue<string[]>(9),
                Operators = reader.GetFieldValue<string[]>(10),
                Expressions = reader.GetFieldValue<string[]>(11),
                Predicate = reader.IsDBNull(12) ? null : reader.GetString(12),
                NullsNotDistinct = reader.GetBoolean(13),
                Condition = reader.IsDBNull(14) ? null : reader.GetString(14),
            });
        }

        return found;
    }

    private static ConstraintKind KindOf(string type) => type switch
    {
        "f" => ConstraintKind.ForeignKey,
        "x" => ConstraintKind.Exclusion,
        "c" => ConstraintKind.Check,
        "n" => ConstraintKind.NotNull,
        _ => ConstraintKind.Unique,
    };
}

using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>A column as a sample looks at its values: where they are long, and where they are at the edge of the type. Pure.</summary>
/// <param name="Name">Name in the side's table.</param>
/// <param name="Type">Base type's name; empty for one that is not PostgreSQL's own.</param>
/// <param name="Category">Its category, <c>typcategory</c>; A for true arrays only.</param>
/// <param name="IsVariable">Its values have no fixed length.</param>
/// <param name="LeadsIndex">A btree index over all rows begins with it, so that the least and greatest value are found at once.</param>
internal sealed record SampledColumn(string Name, string Type, char Category, bool IsVariable, bool LeadsIndex)
{
    /// <summary>Texts longer than this are not looked into.</summary>
    private const int LookedInto = 8192;

    /// <summary>Columns of a table, by name: <c>$1</c> is the table.</summary>
    public const string Catalog = """
        with recursive b(attnum, attname, type) as (
            select attnum, attname, atttypid from pg_catalog.pg_attribute where attrelid = pg_catalog.to_regclass($1) and attnum > 0 and not attisdropped
            union all
            select b.attnum, b.attname, t.typbasetype from b join pg_catalog.pg_type t on t.oid = b.type where t.typtype = 'd')
        select b.attname::text, case when t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace then t.typname::text else '' end,
            case when t.typcategory = 'A' and not exists (select from pg_catalog.pg_type e where e.oid = t.typelem and e.typarray = t.oid) then 'X' else t.typcategory end,
            t.typlen = -1,
            exists (select from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_am m on m.oid = c.relam
                where i.indrelid = pg_catalog.to_regclass($1) and i.indkey[0] = b.attnum and i.indisvalid and i.indpred is null and m.amname = 'btree')
        from b join pg_catalog.pg_type t on t.oid = b.type where t.typtype <> 'd'
        """;

    /// <summary>The column, of a table called <c>t</c>.</summary>
    public string Sql => $"t.{TableName.Quote(Name)}";

    /// <summary>Bytes of a value; null where all are of one length. Of what would have to be unpacked for it the bytes as stored.</summary>
    public string? Size => Type is "text" or "varchar" or "bpchar" or "bytea" ? $"pg_catalog.octet_length({Sql})" : IsVariable ? $"pg_catalog.pg_column_size({Sql})" : null;

    /// <summary>Whether the least and greatest value say something: numbers, dates, times.</summary>
    public bool IsOrdered => Type is "int2" or "int4" or "int8" or "oid" or "float4" or "float8" or "numeric" or "money" or "date" or "time" or "timetz" or "timestamp" or "timestamptz" or "interval";

    /// <summary>A small number for each sort of edge a value is at; NULL for any other value.</summary>
    public string Edge => $"case when {Sql} is null then 1 {EdgesOfType} end";

    private string EdgesOfType => Type switch
    {
        "int2" or "int4" or "int8" => $"when {Sql} = 0 then 2",
        "money" => $"when {Sql} = 0::pg_catalog.money then 2",
        "float4" or "float8" or "numeric" => $"when {Sql} = 0 and {Sql}::text <> '-0' then 2 else case {Sql}::text when 'NaN' then 3 when 'Infinity' then 4 when '-Infinity' then 5 when '-0' then 6 end",
        "date" or "timestamp" or "timestamptz" or "interval" => $"when not pg_catalog.isfinite({Sql}) then 2",
        "bytea" => $"when pg_catalog.octet_length({Sql}) = 0 then 2",

        // A JSON null is not NULL.
        "json" or "jsonb" => $"when pg_catalog.pg_column_size({Sql}) < 64 then case {Sql}::text when 'null' then 2 when '{{}}' then 3 when '[]' then 4 when '\"\"' then 5 end",
        _ when Category == 'S' => $"""
            when {Sql}::text = '' then 2 when pg_catalog.octet_length({Sql}::text) > {LookedInto} then null when pg_catalog.octet_length({Sql}::text) <> pg_catalog.char_length({Sql}::text) then 3
            when pg_catalog.strpos({Sql}::text, E'\\') > 0 then 4 when pg_catalog.strpos({Sql}::text, E'\n') > 0 or pg_catalog.strpos({Sql}::text, E'\t') > 0 then 5 when pg_catalog.right({Sql}::text, 1) = ' ' then 6
            """,
        _ when Category == 'A' => $"when pg_catalog.cardinality({Sql}) = 0 then 2 when pg_catalog.array_ndims({Sql}) > 1 then 3",
        _ when Category == 'R' => $"when pg_catalog.isempty({Sql}) then 2",
        _ => "",
    };
}

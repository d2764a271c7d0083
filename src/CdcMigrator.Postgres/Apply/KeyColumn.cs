namespace CdcMigrator.Postgres.Apply;

/// <summary>A key column as an index sees it.</summary>
/// <param name="Ordinal">Ordinal in the route's columns.</param>
/// <param name="Sql">Quoted name.</param>
/// <param name="Type">Type to cast text to, without modifier.</param>
/// <param name="Declared">Type as declared.</param>
/// <param name="Equality">Schema-qualified equality operator.</param>
/// <param name="Exact">
/// Equal values have equal text. Not so for citext, numeric, nondeterministic collations: there a key change from <c>A</c> to <c>a</c> is a
/// delete and an insert of rows the index cannot tell apart, maybe in two lanes, so the text is compared too.
/// </param>
internal sealed record KeyColumn(int Ordinal, string Sql, string Type, string Declared, string Equality, bool Exact)
{
    /// <summary>Whether a row has this part of a key, which is given as SQL of a text.</summary>
    /// <param name="alias">The row.</param>
    /// <param name="text">The part.</param>
    public string Matches(string alias, string text)
    {
        var equal = $"{alias}.{Sql} {Equality} {text}::{Type}";
        return Exact ? equal : $"{equal} and {alias}.{Sql}::text collate pg_catalog.\"C\" = ({text}::{Declared})::text collate pg_catalog.\"C\"";
    }

    /// <summary>Whether equal values of a base type (<c>pg_type.typname</c>) have equal text, under its column's collation.</summary>
    public static bool HasOneText(string type, bool deterministicCollation) => deterministicCollation && type is
        ("int2" or "int4" or "int8" or "oid" or "bool" or "uuid" or "date" or "timestamp" or "timestamptz" or "time" or "bytea"
        or "text" or "varchar" or "bpchar" or "char" or "name" or "macaddr" or "macaddr8");
}

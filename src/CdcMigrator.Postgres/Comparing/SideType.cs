namespace CdcMigrator.Postgres.Comparing;

/// <summary>A column's type with domains resolved.</summary>
/// <param name="Schema">Schema of the type.</param>
/// <param name="Name">Its <c>pg_type.typname</c>: <c>int4</c>.</param>
/// <param name="Kind">Its <c>pg_type.typtype</c>: b, e, c, r, m.</param>
/// <param name="Sql">As SQL spells it, without modifier: <c>character varying</c>.</param>
/// <param name="Modifier">Length, precision and scale as the catalog packs them; -1 where there is none.</param>
/// <param name="Element">Of what it is an array; null where it is none.</param>
internal sealed record SideType(string Schema, string Name, char Kind, string Sql, int Modifier, SideType? Element)
{
    /// <summary>The name where it is one of PostgreSQL's own types; empty for others, whatever they are called.</summary>
    public string BuiltIn => Schema == "pg_catalog" && Element is null ? Name : "";

    /// <summary>An enum.</summary>
    public bool IsEnum => Kind == 'e';
}

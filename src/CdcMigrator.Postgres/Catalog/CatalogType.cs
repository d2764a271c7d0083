namespace CdcMigrator.Postgres.Catalog;

/// <summary>A row of <c>pg_type</c>, as far as columns need it.</summary>
/// <param name="Schema">Schema of the type.</param>
/// <param name="Name"><c>typname</c>.</param>
/// <param name="Sql">The type for a cast, without modifier: <c>bpchar</c>, <c>"bit"</c>, <c>public.mood</c>.</param>
/// <param name="Kind"><c>typtype</c>: b, c, d, e, m or r.</param>
/// <param name="BaseOid">Base type of a domain, else 0.</param>
/// <param name="BaseModifier">Modifier a domain gives its base, else -1.</param>
/// <param name="ElementOid">Element type of a true array, else 0: a fixed type that can be subscripted (point, name) is none.</param>
internal sealed record CatalogType(string Schema, string Name, string Sql, char Kind, uint BaseOid, int BaseModifier, uint ElementOid)
{
    /// <summary>A true array.</summary>
    public bool IsArray => ElementOid != 0;
}

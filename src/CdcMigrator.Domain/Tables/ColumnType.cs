namespace CdcMigrator.Domain.Tables;

/// <summary>A PostgreSQL type with domains resolved to their base.</summary>
/// <param name="Sql">The type to cast text to, without modifier and schema-qualified where it must be: <c>character varying</c>, <c>public.mood</c>.</param>
/// <param name="Kind">The family that decides how a value is decoded.</param>
/// <param name="Modifier">Declared length for bit(n), precision for time types; -1 where there is none.</param>
/// <param name="Element">Element type of an array; null otherwise.</param>
public sealed record ColumnType(string Sql, ColumnKind Kind, int Modifier = -1, ColumnType? Element = null)
{
    /// <summary>Name of the base type as in <c>pg_type.typname</c> (<c>int4</c>, <c>jsonb</c>); for arrays the element's.</summary>
    public string BaseName { get; init; } = "";
}

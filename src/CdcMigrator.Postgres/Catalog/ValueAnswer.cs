using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>Whether some value of a column has a trait.</summary>
/// <param name="Table">Source table.</param>
/// <param name="Column">Source column.</param>
/// <param name="Trait">What was looked for.</param>
/// <param name="Found">Null where it was not decided in time.</param>
internal sealed record ValueAnswer(TableName Table, string Column, ValueTrait Trait, bool? Found);

namespace CdcMigrator.Postgres.SelfTest;

/// <summary>One damage, compared by itself: beside another one, a chunk would be looked at closer whatever its sum says of this.</summary>
/// <param name="Kind">What it is a case of.</param>
/// <param name="Rows">The rows it makes wrong.</param>
/// <param name="Sql">How, in the target; <c>{t}</c> stands for the table.</param>
public sealed record Seed(SeedKind Kind, IReadOnlyList<SeededRow> Rows, string Sql);

namespace CdcMigrator.Postgres.Apply;

/// <summary>A row that holds a unique value another row needs.</summary>
/// <param name="Key">Its key as text, in the order of the route's key.</param>
/// <param name="Rule">What the two rows must not have in common.</param>
internal sealed record Holder(string[] Key, UniqueRule Rule);

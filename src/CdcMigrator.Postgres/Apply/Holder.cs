namespace CdcMigrator.Postgres.Apply;

/// <summary>A row that holds a unique value another row needs.</summary>
/// <param name="Key">Its key as text, in the order of the route's key.</param>
/// <param name="Columns">Columns of the unique index.</param>
/// <param name="Values">Its values of them, as text.</param>
internal sealed record Holder(string[] Key, IReadOnlyList<KeyColumn> Columns, string[] Values);

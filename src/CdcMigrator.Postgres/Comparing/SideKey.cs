namespace CdcMigrator.Postgres.Comparing;

/// <summary>A unique index over plain columns, all NOT NULL, without a predicate.</summary>
/// <param name="Name">Name of the index.</param>
/// <param name="Columns">Ordinals of its columns in the table's list, in index order.</param>
/// <param name="IsPrimary">It is the primary key's.</param>
/// <param name="IsIdentity">It is the table's REPLICA IDENTITY.</param>
/// <param name="OneWay">All of its columns are sorted in one direction.</param>
internal sealed record SideKey(string Name, IReadOnlyList<int> Columns, bool IsPrimary, bool IsIdentity, bool OneWay);

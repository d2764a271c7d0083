namespace CdcMigrator.Cutover.Switching;

/// <summary>What is known of one table behind the fence.</summary>
/// <param name="Table">Its name on the side that is left.</param>
/// <param name="ComparedAt">When a full pass last compared every row of it.</param>
/// <param name="Rows">Rows that pass compared.</param>
/// <param name="EqualAt">When the last row that changed since was compared again, and equal.</param>
/// <param name="Offsets">By partition, up to where every change was verified: at or behind the ends of the drain proof.</param>
public sealed record TableProof(string Table, DateTimeOffset ComparedAt, long Rows, DateTimeOffset? EqualAt, IReadOnlyDictionary<int, long> Offsets);

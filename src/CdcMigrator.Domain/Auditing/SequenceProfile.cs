namespace CdcMigrator.Domain.Auditing;

/// <summary>What hands out numbers.</summary>
/// <param name="Name">Sequence, or <c>schema.table.column</c> of an AUTO_INCREMENT.</param>
/// <param name="LastValue">Last value handed out; null where there was none, or it is not to be seen.</param>
/// <param name="Limit">Last value it can hand out, by its own bound and the type of its column.</param>
/// <param name="UsedPercent">Part of its range that is used, in per cent.</param>
public sealed record SequenceProfile(string Name, decimal? LastValue, decimal Limit, double UsedPercent);

using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Fencing;

/// <summary>Where a direction begins.</summary>
/// <param name="Lanes">Every lane of the tables, with Kafka; none with the embedded log.</param>
/// <param name="Lsn">Position on the side that is read from then on; what it commits above is published. Only the embedded log goes by it.</param>
/// <param name="Tables">Tables that are compared from the start, as this direction calls them, so that it can soon be turned again.</param>
public sealed record DirectionStart(IReadOnlyList<AimedLane> Lanes, ulong Lsn, IReadOnlyList<TableMapping> Tables);

using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Fencing;

/// <summary>Where a lane of a direction begins when the migration turns that way: no record before the offset will be applied.</summary>
/// <param name="Lane">The lane.</param>
/// <param name="Identity">The log the offset means something in.</param>
/// <param name="Offset">End of the partition, taken once it held everything that was committed before the turn.</param>
public sealed record AimedLane(LaneId Lane, LogIdentity Identity, long Offset);

namespace CdcMigrator.Domain.Fencing;

/// <summary>
/// What the side that takes over had when the other one was left, noted with the seal in one transaction: whoever opens it, however late, looks that it has it still. A server that comes back without its last
/// transactions (a promoted standby that lagged, a crash that lost what it had not written yet) has applied less than was proven.
/// </summary>
/// <param name="Lanes">Lanes of the tables with the end each had to reach, of the drain proof.</param>
/// <param name="Incarnation">The life of the embedded log in which these ends mean something; empty with Kafka.</param>
/// <param name="Marker">Id of the marker on the side that takes over, written behind all that was applied, behind which the way back begins; empty where there is none.</param>
/// <param name="Server">The server that was proven of: system identifier, timeline and when it was started.</param>
public sealed record OpeningTerms(IReadOnlyList<LaneEnd> Lanes, string Incarnation, string Marker, string Server);

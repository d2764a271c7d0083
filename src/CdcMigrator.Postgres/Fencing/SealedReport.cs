namespace CdcMigrator.Postgres.Fencing;

/// <summary>What an attempt did up to the moment it leaves a side for good, for the side's journal.</summary>
/// <param name="Actor">Who confirmed the attempt.</param>
/// <param name="Evidence">The report and the proof, as JSON.</param>
public sealed record SealedReport(string Actor, string Evidence);

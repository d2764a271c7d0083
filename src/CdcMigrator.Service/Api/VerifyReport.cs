using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Service.Api;

/// <summary>A full comparison: body of <c>GET /api/verify/{run}</c> and of <c>cdcm verify start|show -o json</c>.</summary>
/// <param name="RunId">Its number.</param>
/// <param name="State"><c>running</c>, <c>finished</c> or <c>stopped</c>.</param>
/// <param name="Verdict">The weakest of its tables' verdicts; Unverified while it is under way.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="FinishedAt">When it ended; null while it is under way.</param>
/// <param name="Tables">Each of its tables.</param>
/// <param name="Fault">What keeps the comparison from going on; null where nothing does.</param>
public sealed record VerifyReport(
    long RunId, string State, Verdict Verdict, DateTimeOffset RequestedAt, DateTimeOffset? FinishedAt, IReadOnlyList<VerifyTable> Tables, FaultReport? Fault = null);

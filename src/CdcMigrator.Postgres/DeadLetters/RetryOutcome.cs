using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Postgres.DeadLetters;

/// <summary>What became of a row's dead letters.</summary>
/// <param name="Applied">Dead letters that were applied, and are gone.</param>
/// <param name="Fault">Why they stay parked; null where they were applied, or there were none any more.</param>
public sealed record RetryOutcome(int Applied, Fault? Fault);

using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Postgres.DeadLetters;

/// <summary>A row with dead letters.</summary>
/// <param name="Lane">Its lane.</param>
/// <param name="Key">The row.</param>
/// <param name="Letters">How many of them are chosen.</param>
/// <param name="First">Id of the first of these.</param>
public sealed record ParkedRow(LaneId Lane, ChangeKey Key, long Letters, long First);

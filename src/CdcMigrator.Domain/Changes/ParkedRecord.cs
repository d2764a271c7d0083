using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Changes;

/// <summary>A record that is put aside as a dead letter instead of being applied (invariant A9).</summary>
/// <param name="Record">The record as it came from the log.</param>
/// <param name="Key">The row it is about.</param>
/// <param name="Code">Code of the fault that forbids it to be applied, or <see cref="Behind"/>.</param>
/// <param name="Message">The cause in one sentence.</param>
/// <param name="Position">Its position in the source; <see cref="SourcePosition.None"/> where it cannot be read, and of snapshot rows.</param>
public sealed record ParkedRecord(LogRecord Record, ChangeKey Key, string Code, string Message, SourcePosition Position)
{
    /// <summary>Which life of the connector's task sent it; 0 where it does not say.</summary>
    public ulong Run { get; init; }

    /// <summary>Code of a record that is sound itself, but must not overtake a parked one of the same row.</summary>
    public const string Behind = "behind-parked";

    private static readonly HashSet<string> RowCodes = new(StringComparer.Ordinal)
    {
        "undecodable", "nul-character", "record-too-large", "bad-value", "not-null", "check", "constraint", "unique-conflict", "zero-date", "not-boolean",
    };

    /// <summary>What halts a lane at a truncate of a table with dead letters.</summary>
    public static Fault TruncatedBehind(LaneId lane, long offset) => new(
        FaultKind.Poison,
        "truncate-behind-parked",
        "The table was truncated in the source, while changes from before that are dead letters: applied later, they would bring rows back",
        "Retry or discard the table's dead letters first ('cdcm dlq list'); the lane then goes on by itself")
    {
        Lane = lane,
        Offset = offset,
    };

    /// <summary>
    /// Whether a fault lies in one row, so that parking that row lets all others go on. What concerns a table (an unknown column, a key that is
    /// not the target's, a missing schema), the log or a dependency stops the lane instead: it would park everything, or heals by itself.
    /// </summary>
    public static bool MayPark(Fault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        return fault is { Kind: FaultKind.Poison, Offset: not null } && RowCodes.Contains(fault.Code);
    }
}

using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Postgres.DeadLetters;

/// <summary>A parked record.</summary>
/// <param name="Id">Grows in the order of parking; among dead letters of one row that is the order of their changes.</param>
/// <param name="Lane">Lane the record came from.</param>
/// <param name="Offset">Its offset there.</param>
/// <param name="Key">The row it is about.</param>
/// <param name="Code">Code of the fault, or <see cref="ParkedRecord.Behind"/>.</param>
/// <param name="Message">The cause.</param>
/// <param name="Bytes">Bytes of key, value and headers.</param>
/// <param name="ParkedAt">When it was parked, by the target's clock.</param>
public sealed record DeadLetter(long Id, LaneId Lane, long Offset, ChangeKey Key, string Code, string Message, long Bytes, DateTimeOffset ParkedAt)
{
    /// <summary>The record itself; null where only the list was asked for.</summary>
    public LogRecord? Record { get; init; }
}

using CdcMigrator.Domain.Changes;

namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>A record of a model's log; one without a route's values is a tombstone.</summary>
internal sealed record HistoryRecord(ChangeOperation Operation, KeyChangeHalf Half, SourcePosition Position, string?[] Values)
{
    /// <summary>Number of its transaction, in the order of commits; what a snapshot sends has none.</summary>
    public int Transaction { get; init; } = -1;

    public bool IsTombstone { get; init; }

    /// <summary>Of a keyless table's update: the row as it was.</summary>
    public string?[]? Before { get; init; }

    /// <summary>The connector's run that sent it.</summary>
    public ulong Run { get; init; }

    /// <summary>That connector may begin in between changes of an LSN.</summary>
    public bool MayBeginWithinLsn { get; init; }
}

namespace CdcMigrator.Domain.Comparing;

/// <summary>One row that is wrong: it differs between two snapshots and no change explains it.</summary>
/// <param name="Key">The row.</param>
/// <param name="Kind">How it differs.</param>
/// <param name="Columns">Source names of the columns that differ; empty for a row that is on one side only, or that was not looked at closer.</param>
public sealed record RowMismatch(RowKey Key, DifferenceKind Kind, IReadOnlyList<string> Columns)
{
    /// <summary>
    /// It was equal when it was compared before, and no change of it was read since: somebody wrote to the target behind the migration's back, or a change of
    /// the source never reached the log.
    /// </summary>
    public bool Unlogged { get; init; }
}

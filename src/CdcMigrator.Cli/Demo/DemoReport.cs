namespace CdcMigrator.Cli.Demo;

/// <summary>What a demo found: the answer of <c>cdcm demo -o json</c>.</summary>
internal sealed record DemoReport
{
    /// <summary>No mismatch, nothing lost, nothing wrong.</summary>
    public required bool Ok { get; init; }

    /// <summary>Major version of the server that is left.</summary>
    public required int SourceVersion { get; init; }

    /// <summary>Major version of the server moved to.</summary>
    public required int TargetVersion { get; init; }

    /// <summary>Rows there before the migration began.</summary>
    public required long RowsLoaded { get; init; }

    /// <summary>Changes and snapshot rows the service counted as applied. A killed service takes the last half second of its count with it.</summary>
    public required long RowsApplied { get; init; }

    /// <summary>Rows of the source compared with the target behind the fence: all there were.</summary>
    public required long RowsCompared { get; init; }

    /// <summary>Rows that differed, in all comparisons.</summary>
    public required long Mismatches { get; init; }

    /// <summary>The first of them.</summary>
    public required IReadOnlyList<DemoMismatch> MismatchedRows { get; init; }

    /// <summary>Transactions whose COMMIT returned to a writer, on both sides.</summary>
    public required long AcknowledgedWrites { get; init; }

    /// <summary>Those of them, and of those in doubt that had committed, that are not on the side that has the shop now.</summary>
    public required long LostWrites { get; init; }

    /// <summary>Transactions that were rolled back but are there.</summary>
    public required long GhostWrites { get; init; }

    /// <summary>Rows of the writers that are missing, different or back although deleted, by the writers' own account.</summary>
    public required long WrongRows { get; init; }

    /// <summary>Rows of the writers looked at for <see cref="WrongRows"/>.</summary>
    public required long OwnedRows { get; init; }

    /// <summary>Transactions whose answer was lost and whose receipt was found.</summary>
    public required long InDoubtWrites { get; init; }

    /// <summary>Attempts the fence denied.</summary>
    public required long DeniedWrites { get; init; }

    /// <summary>Attempts that failed otherwise and were repeated, by SQLSTATE or <c>connection</c>.</summary>
    public required IReadOnlyDictionary<string, long> FailedWrites { get; init; }

    /// <summary>From the last write acknowledged before the fence, to any writer, to the first after it, in milliseconds.</summary>
    public required double? WriteOutageMs { get; init; }

    /// <summary>The same for the writer that waited longest, in milliseconds.</summary>
    public required double? LongestWriterOutageMs { get; init; }

    /// <summary>The outage of the way back, as <see cref="WriteOutageMs"/>.</summary>
    public required double? RollbackOutageMs { get; init; }

    /// <summary>Times the service ended unasked and was started again.</summary>
    public required int ServiceRestarts { get; init; }

    /// <summary>Whether the target took over. Not with <c>--keep</c>, and not after a mismatch.</summary>
    public required bool Switched { get; init; }

    /// <summary>Whether the source took over again, with all that was written to the target.</summary>
    public required bool RolledBack { get; init; }

    /// <summary>Sequences moved on in the target.</summary>
    public required IReadOnlyList<string> SequencesAdvanced { get; init; }

    /// <summary>What was done, in order.</summary>
    public required IReadOnlyList<DemoStep> Steps { get; init; }

    /// <summary>What was left running; null without <c>--keep</c>.</summary>
    public required DemoLeftovers? Running { get; init; }
}

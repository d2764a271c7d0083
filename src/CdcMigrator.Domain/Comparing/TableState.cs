using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Comparing;

/// <summary>What is known of a table's equality; kept in the target, so that a verification goes on where a process ended. Immutable.</summary>
public sealed record TableState
{
    /// <summary>Source table.</summary>
    public required TableName Table { get; init; }

    /// <summary>Source names of the columns a <see cref="RowKey"/> of it has values of, in their order.</summary>
    public IReadOnlyList<string> KeyColumns { get; init; } = [];

    /// <summary>The run that is or was last over it; 0 for none.</summary>
    public long Run { get; init; }

    /// <summary>Where that run stands.</summary>
    public TablePhase Phase { get; init; }

    /// <summary>All rows up to this key were compared by the run; null at its start.</summary>
    public RowKey? Cursor { get; init; }

    /// <summary>Rows of the source the run compared so far.</summary>
    public long RowsSource { get; init; }

    /// <summary>Rows of the target the run compared so far.</summary>
    public long RowsTarget { get; init; }

    /// <summary>Rows of the table when the run began, estimated.</summary>
    public long EstimatedRows { get; init; }

    /// <summary>
    /// Every row but the dirty ones was compared by a full pass, and every change since is met again from <see cref="VerifiedOffsets"/> on.
    /// </summary>
    public bool Covered { get; init; }

    /// <summary>When the last full pass that covered the table began to compare: every row was compared since, however long it took and whoever went on with it.</summary>
    public DateTimeOffset? CoveredAt { get; init; }

    /// <summary>When the pass under way compared its first row; null before.</summary>
    public DateTimeOffset? PassBeganAt { get; init; }

    /// <summary>When every row was last known to be equal: at the end of a pass, or when the last dirty key was verified.</summary>
    public DateTimeOffset? EqualAt { get; init; }

    /// <summary>Rows that are wrong, at most <see cref="MostWrong"/>.</summary>
    public IReadOnlyDictionary<RowKey, RowMismatch> Wrong { get; init; } = new Dictionary<RowKey, RowMismatch>();

    /// <summary>More rows are wrong than are named: only a full pass can find the table equal again.</summary>
    public bool WrongTruncated { get; init; }

    /// <summary>Rows the run found different which a change explained; since when. To be compared again.</summary>
    public IReadOnlyDictionary<RowKey, DateTimeOffset> Pending { get; init; } = new Dictionary<RowKey, DateTimeOffset>();

    /// <summary>By partition of the table's topic, where a reader must begin to meet every change that is not verified.</summary>
    public IReadOnlyDictionary<int, long> VerifiedOffsets { get; init; } = new Dictionary<int, long>();

    /// <summary>Keys that changed since they were last verified, when the state was written.</summary>
    public int DirtyKeys { get; init; }

    /// <summary>What is known.</summary>
    public Verdict Verdict { get; init; }

    /// <summary>Why, where that is not plain.</summary>
    public string? Reason { get; init; }

    /// <summary>The last snapshots that decided something, in the databases' words: evidence.</summary>
    public string? Evidence { get; init; }

    /// <summary>
    /// What the last run over it found, once it is over: whether each row was equal at some moment of it. Rows that changed since do not weaken it, for they
    /// are dirty and not wrong.
    /// </summary>
    public Verdict RunVerdict => Verdict is Verdict.Unverifiable or Verdict.Error or Verdict.Mismatch or Verdict.Suspended ? Verdict
        : Pending.Count > 0 ? Verdict.InFlight
        : Covered ? Verdict.Equal
        : Verdict.Unverified;

    /// <summary>Most wrong rows that are named.</summary>
    public const int MostWrong = 10_000;
}

using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Passes;

namespace CdcMigrator.Service.Verifying;

/// <summary>A table in a session: its verification, and what of it was kept last.</summary>
internal sealed class VerifiedTable(ComparedTable table, TableVerification verification, ChangeIndex index, TableShape shape)
{
    private TableState? saved;

    /// <summary>What is compared, and why it cannot be.</summary>
    public string Shape => ShapeOf(table, shape);

    /// <summary>Topic that has its changes.</summary>
    public string Topic => shape.Topic;

    /// <summary>Its verification.</summary>
    public TableVerification Verification => verification;

    /// <summary>Why its last step failed; null where it did not.</summary>
    public Fault? Fault { get; set; }

    /// <summary>Changes of it that are not known to be in both sides yet.</summary>
    public int OpenChanges => index.OpenChanges;

    /// <summary>Dirty keys that what is kept does not count yet; where all rows are, as many as nobody waits for behind a fence.</summary>
    public long Untold => index.AllDirty && verification.State.Covered ? index.Limit : Math.Max(0, index.DirtyKeys - verification.State.DirtyKeys);

    /// <summary>Whether keys wait to be verified, or what is kept may say more than is known, or less.</summary>
    public bool NeedsKeys => index.DirtyKeys > 0 || index.AllDirty || verification.State.Wrong.Count > 0 || verification.State.Pending.Count > 0
        || verification.State.Verdict == Verdict.Error || verification.State is { Covered: true, Verdict: Verdict.InFlight } || Fault is not null;

    /// <summary>What a table is compared as, and why it cannot be.</summary>
    public static string ShapeOf(ComparedTable table, TableShape shape) => $"{shape} {table.Unverifiable}";

    /// <summary>Keeps what is known, if it is more or other than what is kept.</summary>
    public async Task SaveAsync(VerificationStore store, long owner, CancellationToken cancellationToken)
    {
        if (!ReferenceEquals(saved, verification.State))
        {
            var state = verification.State;
            await store.SaveAsync(state, shape.ToString(), saved, owner, cancellationToken);
            saved = state;
        }
    }

    /// <summary>What the last run over it found.</summary>
    public TableResult Result()
    {
        var state = verification.State;
        return new TableResult(table.Source, table.Target, state.RunVerdict, state.Reason, state.RowsSource, state.RowsTarget, state.Wrong.Count, state.Pending.Count, state.Evidence);
    }
}

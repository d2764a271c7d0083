using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Fencing;

namespace CdcMigrator.Cutover.Switching;

/// <summary>
/// What an attempt does to the world, step by step; the order, and what follows from a failure, is <see cref="CutoverRun"/>'s. A rehearsal with recorded actions runs the same
/// code. Every action may be repeated. All throw <see cref="Domain.Faults.FaultException"/>, and no other but for cancellation.
/// </summary>
public interface ICutoverActions
{
    /// <summary>What is known of how soon a marker is confirmed, for advice.</summary>
    ConnectorPace? Pace => null;

    /// <summary>Refuses where an attempt cannot or must not be made; changes nothing applications would notice.</summary>
    /// <returns>What was found, in words.</returns>
    Task<string> PrepareAsync(CutoverAttempt attempt, CancellationToken cancellationToken);

    /// <summary>Tells what routes applications that a side is about to be closed.</summary>
    Task<string> HoldAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken);

    /// <summary>Closes the side that is left.</summary>
    Task<FencePosition> CloseAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Keeps it closed for longer; false where it is no longer this attempt's.</summary>
    Task<bool> RenewAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Waits until everything before the fence is applied; the report says how far it came.</summary>
    Task<DrainReport> DrainAsync(FencePosition fence, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>Proves that both sides are equal, moves sequences on, and finds where the way back begins.</summary>
    Task<CutoverProof> ProveAsync(CutoverAttempt attempt, DrainReport drained, CancellationToken cancellationToken);

    /// <summary>Leaves the side for good, and keeps with it what that was done on. False where it is no longer this attempt's, or its lease ends too soon.</summary>
    /// <param name="report">The attempt up to here, with its proof.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<bool> SealAsync(CutoverReport report, CancellationToken cancellationToken);

    /// <summary>Opens the side that takes over, unless it is open by this attempt or a later one. Not before it has all that was proven of it: a server that lost some of it since goes on applying first.</summary>
    /// <returns>What came of it, in words.</returns>
    Task<string> OpenAsync(CutoverAttempt attempt, CancellationToken cancellationToken);

    /// <summary>Opens the side that was to be left again. False where it is no longer this attempt's: then it was opened by others, or sealed.</summary>
    Task<bool> UndoAsync(CutoverAttempt attempt, CancellationToken cancellationToken);

    /// <summary>What the side that is, or was to be, left says of itself.</summary>
    Task<FenceRecord> ReadAsync(CutoverAttempt attempt, CancellationToken cancellationToken);

    /// <summary>Sends applications to the side that took over; tried until it succeeds.</summary>
    Task<string> RouteAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken);

    /// <summary>Sends applications back where they were, after an undo.</summary>
    Task RouteBackAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken);

    /// <summary>Notes where the attempt stands, for whoever looks; not in the way of anything.</summary>
    Task NoteAsync(CutoverReport report, CancellationToken cancellationToken);
}

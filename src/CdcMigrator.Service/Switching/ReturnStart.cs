using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Where the way back of an attempt begins, which a marker tells that goes through its log. An attempt that may do without does not depend on that log: what does not come in time is given up, for the rest of the attempt,
/// and the side is left without a way back.
/// </summary>
/// <param name="back">The runtime of the way back.</param>
/// <param name="sides">Both databases.</param>
/// <param name="options">What the attempt goes by.</param>
/// <param name="time">Clock.</param>
internal sealed class ReturnStart(MigrationRuntime back, Sides sides, CutoverOptions options, TimeProvider time)
{
    private ReturnWay wanted;

    /// <summary>Why there is none; null while there is.</summary>
    public string? NoReturn { get; private set; }

    private TimeSpan PatienceBefore => wanted == ReturnWay.Required ? options.Deadlines.Draining : options.Deadlines.ReverseArmed;

    /// <summary>An attempt begins. A runtime that stands still needs no marker to show it.</summary>
    public void Begin(ReturnWay way)
    {
        wanted = way;
        NoReturn = way switch
        {
            ReturnWay.None => "it was asked for without one",
            ReturnWay.IfItWorks when back.Status() is { Phase: not RuntimePhase.Running } status => $"it does not run{(status.Faults is [var fault, ..] ? $": {fault.Message}" : "")}",
            _ => null,
        };
    }

    /// <summary>Sends a marker through it while applications still write. Null where there is no way back.</summary>
    /// <exception cref="FaultException">TimedOut <c>not-drained</c>, and whatever else goes wrong where the way back is required.</exception>
    public Task<DirectionStart?> TryAsync(FenceMarker marker, CancellationToken cancellationToken) => ReadAsync(marker, PatienceBefore, cancellationToken);

    /// <summary>Where it begins, once nothing of the direction it turns round is committed on the side that takes over any more; nulls where there is no way back.</summary>
    /// <exception cref="FaultException">As of <see cref="TryAsync"/>.</exception>
    public async Task<(FencePosition? Marker, DirectionStart? Start)> FindAsync(CancellationToken cancellationToken)
    {
        if (NoReturn is not null)
        {
            return (null, null);
        }

        var marker = await Sides.AskAsync(() => FenceTable.WriteMarkerAsync(sides.LeftDatabase(back.Definition.Direction), cancellationToken));
        var start = await ReadAsync(marker, options.Deadlines.ReverseArmed, cancellationToken);
        return (start is null ? null : new FencePosition(marker.Id, marker.Lsn), start);
    }

    private async Task<DirectionStart?> ReadAsync(FenceMarker marker, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (NoReturn is not null)
        {
            return null;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limit);
        try
        {
            return await Sides.AskAsync(() => back.Evidence().ReadStartAsync(marker, back.Definition.Tables, time, patience.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var fault = Missing(back.Definition.Direction, await WasSeenAsync(marker, cancellationToken), limit);
            return wanted == ReturnWay.Required ? throw new FaultException(fault) : GiveUp(fault);
        }
        catch (FaultException exception) when (wanted != ReturnWay.Required)
        {
            return GiveUp(exception.Fault);
        }
    }

    /// <summary>Why the marker is waited for in vain. One that came is waited for at the slot, or in the offsets that Connect stores, which no view of the other direction shows.</summary>
    internal static Fault Missing(MigrationDirection direction, bool seen, TimeSpan limit)
    {
        var (status, without) = direction == MigrationDirection.Back ? ("cdcm status --back", "'requireReverse: false' under 'cutover:'") : ("cdcm status", "'cdcm rollback --no-return'");
        return new Fault(
            FaultKind.TimedOut, "not-drained",
            seen ? $"A marker came through the log of the other direction and was not confirmed in {limit.TotalSeconds:0.#} s, by its slot and the offsets Connect stores"
            : $"A marker did not come through the log of the other direction in {limit.TotalSeconds:0.#} s: its connector or slot does not work",
            $"{(seen ? OutageAdvice.Unconfirmed(pace: null) : $"'{status}' shows why")}; or go without a way to come here again: {without}");
    }

    private async Task<bool> WasSeenAsync(FenceMarker marker, CancellationToken cancellationToken)
    {
        try
        {
            return back.Definition.Log.Kind != LogKind.Embedded
                && await Sides.AskAsync("control schema", Patience.Answer, stop => back.Evidence().IsMarkerSeenAsync(marker.Id, stop), cancellationToken);
        }
        catch (FaultException)
        {
            return false;
        }
    }

    private DirectionStart? GiveUp(Fault fault)
    {
        NoReturn = fault.Message;
        return null;
    }
}

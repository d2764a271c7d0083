using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Status;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>
/// The fault a lane has not got past. It stands through every new attempt, so that status does not flicker, and falls once progress has moved
/// beyond the record that caused it. The same fault is logged once.
/// </summary>
internal sealed class LaneTrouble(LaneId lane, ILogger log)
{
    private readonly Lock gate = new();
    private Fault? current;
    private long at;
    private int attempts;
    private int refusals;

    /// <summary>The fault and the state it puts the lane in; nothing where all is well.</summary>
    public (Fault? Fault, LaneState? State) Current
    {
        get
        {
            lock (gate)
            {
                return current is null ? (null, null) : (current, IsPassing(current.Kind) ? LaneState.Retrying : LaneState.Halted);
            }
        }
    }

    /// <summary>The record that stopped the lane, if one did; -1 otherwise.</summary>
    public long SuspectOffset
    {
        get
        {
            lock (gate)
            {
                return current is { Kind: FaultKind.Poison, Offset: { } offset } ? offset : -1;
            }
        }
    }

    /// <summary>The fault of a record that was refused twice in a row, the second time alone in its batch, and may be parked; null otherwise.</summary>
    public Fault? Condemned
    {
        get
        {
            lock (gate)
            {
                return refusals >= 2 && current is not null && ParkedRecord.MayPark(current) ? current : null;
            }
        }
    }

    /// <summary>Whether it is retried with a growing pause rather than shown as halted.</summary>
    public static bool IsPassing(FaultKind kind) => kind is FaultKind.Transient or FaultKind.Unreachable or FaultKind.TimedOut;

    /// <summary>Notes a fault at an offset (-1: in claiming). Returns how many there were since progress last moved.</summary>
    public int Add(Fault fault, long offset)
    {
        lock (gate)
        {
            if (current is null || current.Code != fault.Code || current.Message != fault.Message)
            {
                if (IsPassing(fault.Kind))
                {
                    StreamingLog.LaneRetries(log, lane, fault.Code, fault);
                }
                else
                {
                    StreamingLog.LaneHalted(log, lane, fault.Code, fault);
                }
            }

            refusals = fault.Kind != FaultKind.Poison ? 0 : current is { Kind: FaultKind.Poison } && current.Offset == fault.Offset ? refusals + 1 : 1;
            current = fault;
            at = offset;
            return ++attempts;
        }
    }

    /// <summary>A claim succeeded, or a batch was committed: a fault below this offset is over.</summary>
    public void MovedTo(long nextOffset)
    {
        lock (gate)
        {
            if (current is not null && nextOffset > at)
            {
                StreamingLog.LaneRecovered(log, lane, current.Code, attempts);
                current = null;
                attempts = refusals = 0;
            }
        }
    }
}

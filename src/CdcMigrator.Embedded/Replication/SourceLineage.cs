using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.State;

namespace CdcMigrator.Embedded.Replication;

/// <summary>Whether the source and its slot are still those the target was filled from.</summary>
internal static class SourceLineage
{
    /// <summary>Compares system identifier and timeline: positions mean nothing in another history.</summary>
    /// <exception cref="FaultException">LogBroken: <c>lineage-changed</c>.</exception>
    public static void Check(LogState state, string systemIdentifier, long timeline)
    {
        if (state.SystemIdentifier != systemIdentifier || state.Timeline != timeline)
        {
            throw new FaultException(FaultKind.LogBroken, "lineage-changed",
                $"The source is system {systemIdentifier} on timeline {timeline}; the target was filled from system {state.SystemIdentifier} on timeline {state.Timeline}",
                "After a failover or restore of the source the tables must be moved anew, or verified in full");
        }
    }

    /// <summary>Compares the slot with what it was told.</summary>
    /// <exception cref="FaultException">LogBroken: <c>slot-lost</c>, <c>slot-moved</c>.</exception>
    public static void CheckSlot(string name, SlotInfo? slot, ulong told)
    {
        const string Fix = "Changes are missing from the target; move the tables anew";
        if (slot is null or { IsLost: true })
        {
            throw new FaultException(FaultKind.LogBroken, "slot-lost",
                slot is null ? $"Replication slot {name} no longer exists" : $"Replication slot {name} was invalidated: the source removed WAL it needs", Fix);
        }

        if (slot.ConfirmedLsn > told)
        {
            throw new FaultException(FaultKind.LogBroken, "slot-moved",
                $"Replication slot {name} stands at {SourcePosition.Format(slot.ConfirmedLsn)}, but the target has only changes up to {SourcePosition.Format(told)}: the slot was re-created or read by others, or the target was restored to an earlier state",
                Fix);
        }
    }
}

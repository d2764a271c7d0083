using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Watching;

/// <summary>What is wrong with a replication slot. Pure.</summary>
internal static class SlotRules
{
    /// <summary>Share of <c>max_slot_wal_keep_size</c> from which the slot is in danger.</summary>
    private const double Danger = 0.8;

    private const string StartOver = "Drop the slot, run 'cdcm connector register -f FILE', then 'cdcm tables resync --all'";

    /// <summary>A slot that can never deliver what it has not delivered yet.</summary>
    public static Fault? Dead(string slot, SlotState? state, bool known) =>
        state is { Lost: true } ? new Fault(FaultKind.LogBroken, "slot-lost", $"The source gave replication slot {slot} up (wal_status is lost): changes behind {SourcePosition.Format(state.ConfirmedFlushLsn)} are not in the log", StartOver)
        : state is null && known ? new Fault(FaultKind.LogBroken, "slot-missing", $"Replication slot {slot} is gone from the source: changes since its last confirmed position are not in the log", StartOver)
        : null;

    /// <summary>What is said where it cannot be told whether the connector began anew; null where it can.</summary>
    public static Finding? Hidden(SlotState state) => !state.IsReaderHidden ? null : new Finding(
        Severity.Error, "slot-reader-hidden",
        $"Since when slot {state.Name} is read is hidden from the service's role, for the connector logs in as another one: that it began anew, and may have lost what it had not published, could not be told",
        "GRANT pg_read_all_stats TO the service's role on that server, or have the connector log in as that role; 'cdcm preflight -f FILE' names the role");

    /// <summary>A slot that is not read, or by whom is not known, or that keeps nearly as much WAL as the source allows.</summary>
    /// <param name="state">The slot.</param>
    /// <param name="unread">How long nobody has read it.</param>
    /// <param name="patience">How long that may be.</param>
    public static IEnumerable<Finding> Endangered(SlotState state, TimeSpan unread, TimeSpan patience)
    {
        if (state.WalStatus == "unreserved" || (state.LimitBytes is > 0 and var limit && state.RetainedBytes > limit * Danger))
        {
            yield return new Finding(Severity.Error, "slot-near-limit",
                $"Slot {state.Name} keeps {Megabytes(state.RetainedBytes)} of WAL of the {Megabytes(state.LimitBytes ?? 0)} that max_slot_wal_keep_size allows: beyond it the slot is lost",
                "Raise max_slot_wal_keep_size and reload the source, and see why the connector does not confirm");
        }

        if (Hidden(state) is { } hidden)
        {
            yield return hidden;
        }

        if (unread > patience && !state.Lost)
        {
            yield return new Finding(Severity.Warning, "slot-inactive", $"Nobody has read slot {state.Name} for {Text(unread)}; it keeps {Megabytes(state.RetainedBytes)} of WAL",
                "See 'cdcm connector status -f FILE' and Connect's log");
        }
    }

    public static string Megabytes(long bytes) => $"{bytes / 1048576.0:N0} MB";

    public static string Text(TimeSpan time) => time.TotalMinutes >= 2 ? $"{(int)time.TotalMinutes} min" : $"{(int)time.TotalSeconds} s";
}

using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Streaming.Inspection;
using Npgsql;

namespace CdcMigrator.Service.Watching;

/// <summary>Writes pulses through the source and notices one that was confirmed and that the log does not have.</summary>
/// <param name="store">Where pulses are kept.</param>
/// <param name="source">Where they are written.</param>
/// <param name="isConfirmed">Whether the log is known to hold everything before a position (<see cref="Sources.IMigrationSource.IsConfirmedAsync"/>).</param>
/// <param name="log">The log.</param>
/// <param name="fenceTopic">The topic pulses come in.</param>
/// <param name="lanes">Progress.</param>
/// <param name="time">Clock.</param>
internal sealed class PulseWatch(
    PulseStore store, NpgsqlDataSource source, Func<ulong, CancellationToken, Task<bool>> isConfirmed, LogInspector log, string fenceTopic, ILaneStore lanes, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Abandoned = TimeSpan.FromSeconds(30);
    private (long Pulse, IReadOnlyDictionary<LaneId, long> Ends)? due;

    /// <summary>A connector that is gone stores no offset any more, and what it had not brought to Kafka by then never comes.</summary>
    private DateTimeOffset? unreadSince;

    /// <summary>Whether the migration's slot was ever seen.</summary>
    public bool Known { get; private set; }

    /// <summary>From when on comparisons count: the session that reads the slot had been seen by then, by whichever process, and what was open before it was over; null while none was.</summary>
    public DateTimeOffset? ReaderSince { get; private set; }

    /// <summary>The oldest transaction of the source that was open when that session was first seen; null where all are over.</summary>
    public string? ReaderWaitsFor { get; private set; }

    /// <summary>Notes who reads the slot and says from when on comparisons count, or what that waits for; what was known where nobody reads it. A connector that begins anew may have lost what it had not published.</summary>
    /// <exception cref="FaultException">A side does not answer.</exception>
    public async Task<(DateTimeOffset? Since, string? WaitsFor)> NoteReaderAsync(SlotState? state, CancellationToken cancellationToken)
    {
        var known = await store.ReadAsync(cancellationToken);
        if (known is not null && state?.Reader is { } reader && known.Reader != reader)
        {
            await store.NoteReaderAsync(source, reader, cancellationToken);
            known = await store.ReadAsync(cancellationToken);
        }

        string? open = null;
        if (state is not null && known is { ReaderSince: null, ReaderTransaction: { } noted })
        {
            open = await PulseStore.FindOpenAsync(source, noted, cancellationToken);
            if (open is null)
            {
                await store.SettleReaderAsync(known, time.GetUtcNow(), cancellationToken);
                known = await store.ReadAsync(cancellationToken);
            }
        }

        // Another process may have noted another one meanwhile, and the slot may be gone: neither lets anything count.
        open ??= known is { ReaderSince: null, ReaderTransaction: not null } ? "not looked at yet" : null;
        return (ReaderSince, ReaderWaitsFor) = (known?.ReaderSince, open);
    }

    /// <summary>One turn. Returns the fault of a log that lost changes, which stays until it is accepted.</summary>
    /// <exception cref="FaultException">A side does not answer.</exception>
    public async Task<Fault?> LookAsync(string slot, SlotState? state, CancellationToken cancellationToken)
    {
        if (await store.ReadAsync(cancellationToken) is not { } pulse)
        {
            if (state is not null)
            {
                await store.BeginAsync(slot, cancellationToken);
            }

            return null;
        }

        Known = true;
        unreadSince = state is null or { Active: true } ? null : unreadSince ?? time.GetUtcNow();
        if (pulse.Broken is { } broken)
        {
            return new Fault(FaultKind.Configuration, "slot-recreated", $"The log has lost changes: {broken}. The slot was dropped and made again while the connector kept its place",
                "Run 'cdcm tables resync --all': it goes on with the log as it is, copies every table again and removes rows the source no longer has");
        }

        if (state is null)
        {
            return null;
        }

        if (pulse.Seen >= pulse.Pulse ? pulse.Age > Interval : pulse.Lsn is null && pulse.Age > Abandoned)
        {
            await store.WriteAsync(source, pulse, cancellationToken);
        }
        else if (pulse.Lsn is { } lsn && pulse.Seen < pulse.Pulse && state.ConfirmedFlushLsn >= lsn && (time.GetUtcNow() - unreadSince >= Abandoned || await isConfirmed(lsn, cancellationToken)))
        {
            await MissAsync(pulse, state, cancellationToken);
        }

        return null;
    }

    /// <summary>The pulse is confirmed, so Kafka has it below the ends taken now; once progress has passed them, it was met or is not there.</summary>
    private async Task MissAsync(PulseState pulse, SlotState state, CancellationToken cancellationToken)
    {
        if (due?.Pulse != pulse.Pulse)
        {
            due = (pulse.Pulse, (await log.ReadTopicRangesAsync([fenceTopic], cancellationToken)).ToDictionary(range => range.Key, range => range.Value.End));
            return;
        }

        var progress = (await lanes.ReadProgressAsync(cancellationToken)).ToDictionary(lane => lane.Lane, lane => lane.NextOffset);
        if (due.Value.Ends.All(end => end.Value == 0 || progress.GetValueOrDefault(end.Key) >= end.Value))
        {
            await store.BreakAsync(pulse, state.ConfirmedFlushLsn, cancellationToken);
        }
    }
}

using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Postgres.Drift;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Watching;

/// <summary>
/// Everything a migration cannot learn from the log: whether its slot and connector work, whether the log lost something, and whether the
/// schemas still fit. One turn every few seconds; what cannot be asked leaves what was known.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A semaphore without a wait handle holds nothing.")]
internal sealed class SourceWatch(SourceWatchParts parts, TimeProvider time, ILogger log)
{
    /// <summary>Catalogs and settings are looked at less often than slot and connector.</summary>
    private const int SlowTurns = 3;

    private const string SlotLook = "replication slot";

    /// <summary>What is not known while it cannot be asked. A Connect that is away is a finding of its own after some time, a broker that is away an unknown lag.</summary>
    private static readonly string[] Needed = [SlotLook, "log", "schemas"];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Watchdog watchdog = new();
    private readonly SemaphoreSlim looking = new(1, 1);
    private readonly HashSet<string> told = [];
    private readonly Dictionary<string, string> failures = [];
    private int turn;
    private long records;
    private TimeSpan stalled;
    private SlotState? slot;
    private ConnectorStatus? connector;
    private Fault? connectFault;
    private Fault? broken;
    private SchemaState schema = new([], new Dictionary<Domain.Tables.TableName, Fault>());
    private DateTimeOffset lastAnswer = time.GetUtcNow();
    private DateTimeOffset lastRead = time.GetUtcNow();
    private volatile SourceReport report = SourceReport.Empty;
    private volatile Fault? halt;

    /// <summary>What is wrong now. Any thread.</summary>
    public SourceReport Report => report;

    /// <summary>Why no lane may go on; null while they may. Any thread.</summary>
    public Fault? Halt => halt;

    /// <summary>Looks at everything once. Never throws but for cancellation.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await looking.WaitAsync(cancellationToken);
        try
        {
            var slow = turn++ % SlowTurns == 0;
            await TryAsync(SlotLook, () => LookAtSlotAsync(cancellationToken));
            await TryAsync("connector", () => LookAtConnectorAsync(slow, cancellationToken));
            await TryAsync("log", () => LookAtLogAsync(cancellationToken));
            if (slow)
            {
                await TryAsync("schemas", () => LookAtSchemasAsync(cancellationToken));
            }

            await TryAsync("progress of the connector", () => LookAtProgressAsync(cancellationToken));
            SumUp();
        }
        finally
        {
            looking.Release();
        }
    }

    /// <summary>
    /// Asks both sides' catalogs now, instead of at the next turn: what has been altered since the last one may be in no log.
    /// </summary>
    /// <exception cref="FaultException">NotAllowed <c>source-changed</c>, with everything found. Unreachable: a side does not answer.</exception>
    public async Task RequireUnchangedAsync(CancellationToken cancellationToken)
    {
        if (parts.Schemas is { } schemas && (await schemas.LookAsync(cancellationToken)).Findings is { Count: > 0 } found)
        {
            throw new FaultException(new Fault(
                FaultKind.NotAllowed, "source-changed",
                $"What is captured was altered since the gate was looked at, so that changes may be in no log: {string.Join("; ", found.Take(5).Select(finding => $"{finding.Message} ({finding.Code})"))}{(found.Count > 5 ? $"; and {found.Count - 5} more" : "")}",
                string.Join("; ", found.Take(5).Select(finding => finding.Fix).Distinct(StringComparer.Ordinal)))
            { Table = found[0].Table });
        }
    }

    /// <summary>Asks now who reads the slot, and says from when on comparisons count, or for which transaction that waits; null for both where nothing depends on it.</summary>
    /// <exception cref="FaultException">
    /// Unreachable: a side does not answer, or (<c>slot-unread</c>) nobody reads the slot, so that it cannot be told who did. NotAllowed <c>slot-reader-hidden</c>: the role may not see it.
    /// </exception>
    public async Task<(DateTimeOffset? Since, string? WaitsFor)> ReadReaderSinceAsync(CancellationToken cancellationToken)
    {
        if (parts is not { Pulses: { } pulses, Source: { } source })
        {
            return (null, null);
        }

        try
        {
            var state = await SlotState.ReadAsync(source, parts.Slot, cancellationToken);
            if (state is not null && SlotRules.Hidden(state) is { } hidden)
            {
                throw new FaultException(FaultKind.NotAllowed, hidden.Code, hidden.Message, hidden.Fix);
            }

            return state is { Reader: not null } ? await pulses.NoteReaderAsync(state, cancellationToken) : throw new FaultException(
                FaultKind.Unreachable, "slot-unread", $"Nobody reads replication slot {parts.Slot} now, so that it cannot be told whether the connector began anew since the tables were compared",
                "'cdcm status' and 'cdcm connector status' show what keeps the connector from reading; then try again");
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Takes what was accepted meanwhile into account at once.</summary>
    public async Task LookAgainAsync(CancellationToken cancellationToken)
    {
        await looking.WaitAsync(cancellationToken);
        try
        {
            await TryAsync("log", () => LookAtLogAsync(cancellationToken));
            await TryAsync("schemas", () => LookAtSchemasAsync(cancellationToken));
            await TryAsync("progress of the connector", () => LookAtProgressAsync(cancellationToken));
            SumUp();
        }
        finally
        {
            looking.Release();
        }
    }

    private async Task LookAtSlotAsync(CancellationToken cancellationToken)
    {
        if (parts.Source is not { } source)
        {
            return;
        }

        slot = await SlotState.ReadAsync(source, parts.Slot, cancellationToken);
        if (slot is null or { Active: true })
        {
            lastRead = time.GetUtcNow();
        }

        parts.Metrics.SetSlot(parts.Slot, slot);

        // Right behind the look, so that no older one is noted; last, for the target may be away.
        await (parts.Pulses?.NoteReaderAsync(slot, cancellationToken) ?? Task.CompletedTask);
    }

    private async Task LookAtConnectorAsync(bool slow, CancellationToken cancellationToken)
    {
        if (parts.Connect is not { } client || parts.Section is not { } section)
        {
            return;
        }

        try
        {
            connector = await client.FindStatusAsync(section.Connector, cancellationToken);
            (connectFault, lastAnswer) = (null, time.GetUtcNow());
            parts.Metrics.SetConnector(section.Connector, connector?.Tasks.Select(task => task.State) ?? [], connector?.IsRunning == true);
            if (slow && parts.Settings is { } settings)
            {
                await settings.LookAsync(cancellationToken);
            }
        }
        catch (FaultException fault)
        {
            connectFault = fault.Fault;
            throw;
        }
    }

    private async Task LookAtLogAsync(CancellationToken cancellationToken)
    {
        if (parts.Pulses is { } pulses && parts.Source is not null)
        {
            broken = await pulses.LookAsync(parts.Slot, slot, cancellationToken);
        }
    }

    private async Task LookAtSchemasAsync(CancellationToken cancellationToken)
    {
        if (parts.Schemas is { } schemas)
        {
            schema = await schemas.LookAsync(cancellationToken);
            parts.Metrics.SetDrift(schema.Findings);
        }

        await parts.Routes.LoadAsync(schema.Halted, cancellationToken);
    }

    private void SumUp()
    {
        var now = time.GetUtcNow();
        var faults = new List<Fault>();
        var findings = new List<Finding>(schema.Findings);
        AddTo(faults, broken);
        var dead = SlotRules.Dead(parts.Slot, slot, parts.Pulses?.Known == true);
        AddTo(faults, dead);

        if (parts.Section is { } section && parts.Connect is not null)
        {
            AddTo(faults, parts.Settings?.Changed);
            var barrier = ConnectorRules.Barrier(connector, connectFault is not null, dead, parts.Settings?.Changed, parts.Source is not null && failures.ContainsKey(SlotLook));
            AddTo(faults, ConnectorRules.Failed(section, connector, parts.Restarts?.Look(connectFault is null ? connector : null, barrier)));
            findings.AddRange(parts.Settings?.Findings ?? []);
            AddTo(findings, ConnectorRules.Absent(section, connector, connectFault, now - lastAnswer, Patience));
            var isStalled = slot is { Lost: false } && connectFault is null && stalled > section.StalledAfter;
            parts.Metrics.SetStalled(section.Connector, isStalled ? stalled : TimeSpan.Zero);
            AddTo(faults, isStalled ? ConnectorRules.Stalled(section, slot!, stalled) : null);
            if (slot is not null && !isStalled && connector is null or { State: "RUNNING" })
            {
                // A snapshot does not read the slot either, but its sessions are there.
                lastRead = slot is { Readers.Count: > 0 } ? now : lastRead;
            }
        }

        if (slot is not null)
        {
            findings.AddRange(SlotRules.Endangered(slot, parts.Connect is null ? TimeSpan.Zero : now - lastRead, Patience));
        }

        halt = broken ?? parts.Settings?.Changed;
        parts.Metrics.SetBroken(broken is not null);
        report = new SourceReport(faults, [.. findings.OrderByDescending(finding => finding.Severity)]) { Unseen = [.. failures.Keys.Intersect(Needed)], ReaderSince = parts.Pulses?.ReaderSince, ReaderWaitsFor = parts.Pulses?.ReaderWaitsFor };
        Tell(faults, findings);
    }

    /// <summary>Ends are asked for only while the connector should work.</summary>
    private async Task LookAtProgressAsync(CancellationToken cancellationToken)
    {
        if (slot is null || parts.Section is null || parts.Connect is null)
        {
            stalled = TimeSpan.Zero;
            return;
        }

        var shouldRun = connectFault is not null || connector is { IsRunning: true };
        if (shouldRun)
        {
            records = (await parts.Log.ReadTopicRangesAsync(parts.Topics, cancellationToken)).Values.Sum(range => range.End);
        }

        stalled = watchdog.Look(new WatchSample(time.GetUtcNow(), shouldRun, slot.ConfirmedFlushLsn, slot.WrittenLsn, parts.Fence.Rows, records, slot.Readers));
    }

    private static void AddTo<T>(List<T> list, T? item)
        where T : class
    {
        if (item is not null)
        {
            list.Add(item);
        }
    }

    /// <summary>Each new fault or finding is logged once, and once more when it returns.</summary>
    private void Tell(List<Fault> faults, List<Finding> findings)
    {
        var now = faults.Select(fault => (Key: $"{fault.Code} {fault.Table}", Text: fault.ToString()))
            .Concat(findings.Select(finding => (Key: $"{finding.Code} {finding.Table} {finding.Column}", Text: $"{finding.Message}. {finding.Fix}"))).ToList();
        foreach (var (key, text) in now.Where(item => !told.Contains(item.Key)))
        {
            RuntimeLog.SourceFinding(log, key.TrimEnd(), text);
        }

        told.Clear();
        told.UnionWith(now.Select(item => item.Key));
    }

    private async Task TryAsync(string what, Func<Task> look)
    {
        try
        {
            await look();
            failures.Remove(what);
        }
        catch (Exception exception) when (exception is FaultException || PostgresFaults.IsOfServer(exception))
        {
            var fault = PostgresFaults.Classify(exception);
            if (failures.GetValueOrDefault(what) != fault.ToString())
            {
                failures[what] = fault.ToString();
                RuntimeLog.SampleFailed(log, what, fault);
            }
        }
    }
}

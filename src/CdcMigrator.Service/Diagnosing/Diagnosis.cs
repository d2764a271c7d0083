using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;
using CdcMigrator.Service.Watching;

namespace CdcMigrator.Service.Diagnosing;

/// <summary>What waits for whom, and the command that helps. Pure.</summary>
internal static class Diagnosis
{
    private const string Error = "error";
    private const string Warning = "warning";
    private const string Info = "info";
    private const string Run = "Run 'cdcm run -f FILE'";

    /// <summary>How long a process may take to tell applications where to write.</summary>
    private static readonly TimeSpan RoutePatience = TimeSpan.FromSeconds(30);

    public static DiagnosisReport Of(DiagnosisFacts facts)
    {
        var over = facts.Target.Record is { CompletedAt: not null };
        List<DiagnosisEntry> entries =
        [
            .. over ? AfterTheEnd(facts) : [.. Fences(facts), .. Sides(facts).SelectMany(side => Side(facts, side)), .. Connectors(facts)],
            .. Service(facts, over),
        ];
        return new DiagnosisReport(
            facts.Migration, entries.All(entry => entry.Severity == Info), CutoverSide.Of(facts.Source?.Record), CutoverSide.Of(facts.Target.Record),
            [.. entries.OrderBy(entry => entry.Severity switch { Error => 0, Warning => 1, _ => 2 })]);
    }

    private static IEnumerable<SideFacts> Sides(DiagnosisFacts facts) => facts.Source is { } source ? [source, facts.Target] : [facts.Target];

    /// <summary>What both rows together say.</summary>
    private static IEnumerable<DiagnosisEntry> Fences(DiagnosisFacts facts)
    {
        if (facts.Source is not { Away: null } || facts.Target.Away is not null)
        {
            yield break;
        }

        switch (facts.Source.Record, facts.Target.Record)
        {
            case (null, null):
                yield return new(Info, "not-prepared", "A cutover", "the fences of both sides, and the way back, which are not prepared yet", "Run 'cdcm cutover prepare'; applications notice nothing");
                break;
            case (null, _) or (_, null):
                yield return new(Error, "half-prepared", "A cutover", $"the fence of the {(facts.Source.Record is null ? "source" : "target")}: only the other side's was prepared", "Run 'cdcm cutover prepare' again");
                break;
            case ({ State: FenceState.Open }, { State: FenceState.Open }):
                yield return new(Error, "both-open", "Both sides take writes", "that must not be: what is written on one may never reach the other", "Stop the applications of the side they have left, then 'cdcm cutover sql -f FILE' prints what is known of both");
                break;
            case ({ State: FenceState.Sealed } source, { State: FenceState.Sealed } target):
                yield return new(
                    Error, "nobody-open", "Applications, everywhere", $"the {(source.IsLeftFor(target) ? "target" : "source")} to be opened: attempt {(source.IsLeftFor(target) ? source : target).Token} left the other side and did not go on",
                    "Any running process of the migration does it: 'cdcm run -f FILE'; without one 'cdcm cutover sql -f FILE' prints SQL for psql");
                break;
        }
    }

    private static IEnumerable<DiagnosisEntry> Side(DiagnosisFacts facts, SideFacts side)
    {
        if (side.Away is { } away)
        {
            yield return new(Error, $"{side.Name}-away", "Everything", $"the {side.Name}: {away.Message}", away.Fix);
            yield break;
        }

        switch (side.Record)
        {
            case { IsForsaken: true } row:
                yield return new(Error, "lease-over", $"Applications of the {side.Name}", $"somebody to lift its fence: attempt {row.Token} closed it, and its lease ended {-row.LeaseLeft.TotalSeconds:0} s ago",
                    "A running service does it by itself; without one: 'cdcm cutover abort --offline -f FILE'");
                break;
            case { State: FenceState.Closed } row:
                yield return new(Warning, "attempt-running", $"Applications of the {side.Name}", $"attempt {row.Token}, which closed it; its lease has {row.LeaseLeft.TotalSeconds:0} s left", "'cdcm cutover status' shows its step, 'cdcm cutover abort' calls it off");
                break;
            case { State: FenceState.Open, Token.Length: > 0 } row when facts.Routes && row.Routed != row.Token && row.Age > RoutePatience:
                yield return new(Warning, "not-routed", "Applications", $"the hooks that send them to the {side.Name}: those of attempt {row.Token} have not all succeeded", "A running service repeats them; 'cdcm cutover status' has their last failure");
                break;
        }

        if (side.Waiting is { } waiting)
        {
            yield return new(Error, waiting.Code, $"The fence of the {side.Name}", waiting.Message, waiting.Fix);
        }

        foreach (var obstacle in side.Obstacles.Where(obstacle => obstacle.Severity == Severity.Error))
        {
            yield return new(Warning, obstacle.Code, $"Leaving the {side.Name}", obstacle.Message, obstacle.Fix);
        }

        foreach (var gap in side.Gaps)
        {
            yield return new(Error, "fence-gap", $"The fence of the {side.Name} has a hole", gap, "Close the hole (enable the trigger cdcm_fence, or drop what writes), then compare: 'cdcm verify start --wait'");
        }

        if (side.ShutAt is { } shut)
        {
            yield return new(Error, "side-shut", $"The {side.Name} came back open", $"It said that it was open until {shut:u}, though the other side was opened later: an older copy of itself, or its row was changed by hand", "'cdcm verify start --wait' names rows that differ; what was written there is carried over by nobody");
        }

        foreach (var (table, rows) in side.Leaked.OrderBy(leak => leak.Key, StringComparer.Ordinal))
        {
            yield return new(Error, "leaked-writes", $"{table} in the {side.Name} was changed by others", $"{rows:N0} rows since the side was closed: nobody carries them over", "'cdcm verify start --wait' names the rows; find out who wrote, then 'cdcm tables repair'");
        }

        foreach (var entry in Lanes(side).Concat(Slot(facts, side)))
        {
            yield return entry;
        }
    }

    private static IEnumerable<DiagnosisEntry> Lanes(SideFacts side)
    {
        if (side is { Record.State: FenceState.Open, LanesOpen: > 0 })
        {
            yield return new(Error, "lanes-open", $"{side.LanesOpen} lanes write into the {side.Name}", "though applications write there too", "Stop every process of the migration, and look who changed cdc_migrator.progress there");
        }
        else if (side is { Record.NoReturn: true })
        {
            yield return new(Info, NoWayBack.Code, $"Nothing reaches the {side.Name}", NoWayBack.What(side.Name), NoWayBack.Fix(side.Name));
        }
        else if (side is { Record.State: FenceState.Sealed, LanesOpen: 0, LanesFrozen: > 0 })
        {
            yield return new(Error, "lanes-frozen", $"Changes for the {side.Name}", $"{side.LanesFrozen} lanes that are frozen though applications write elsewhere", "'cdcm cutover sql -f FILE' prints what is known of both sides");
        }
    }

    private static IEnumerable<DiagnosisEntry> Slot(DiagnosisFacts facts, SideFacts side)
    {
        var prepared = facts.Source?.Record is not null && facts.Target.Record is not null;
        var used = side.Name == "source" ? facts.Target.LanesOpen + facts.Target.LanesFrozen > 0 : prepared && side.Record!.State == FenceState.Open;
        used &= (side.Name == "source" ? facts.Target.Record : facts.Source?.Record) is not { NoReturn: true };
        if (SlotRules.Dead(side.SlotName, side.Slot, used) is { } dead)
        {
            yield return new(Error, dead.Code, $"Changes of the {side.Name}", dead.Message, dead.Fix);
            yield break;
        }

        if (side.Slot is { } slot)
        {
            foreach (var finding in SlotRules.Endangered(slot, slot.Active ? TimeSpan.Zero : TimeSpan.MaxValue, TimeSpan.Zero))
            {
                var what = finding.Code == "slot-inactive" ? $"nobody reads slot {slot.Name} now; it keeps {SlotRules.Megabytes(slot.RetainedBytes)} of WAL" : finding.Message;
                yield return new(Text(finding.Severity), finding.Code, $"Changes of the {side.Name}", what, finding.Fix);
            }
        }
    }

    private static IEnumerable<DiagnosisEntry> Connectors(DiagnosisFacts facts)
    {
        foreach (var (connect, status, unreachable) in facts.Connectors)
        {
            if (ConnectorRules.Failed(connect, status) is { } failed)
            {
                // A service says the same of it, and what it does about it.
                var said = new[] { facts.Forward, facts.Back }.SelectMany(service => service?.Faults ?? []);
                if (said.Any(fault => fault.Code == failed.Code && fault.Message.StartsWith(failed.Message, StringComparison.Ordinal)))
                {
                    continue;
                }

                yield return new(Error, failed.Code, $"Changes of connector {connect.Connector}", failed.Message, failed.Fix);
            }
            else if (ConnectorRules.Absent(connect, status, unreachable, TimeSpan.MaxValue, TimeSpan.Zero) is { } absent)
            {
                yield return new(Warning, absent.Code, $"Changes of connector {connect.Connector}", unreachable is null ? absent.Message : $"Kafka Connect does not answer: {unreachable.Message}", absent.Fix);
            }
            else if (!status!.IsRunning)
            {
                yield return new(Warning, "connector-not-running", $"Changes of connector {connect.Connector}", $"it is {status.State}, {(status.Tasks.Count == 0 ? "without a task" : string.Join(", ", status.Tasks.Select(task => task.State)))}", "'cdcm connector status -f FILE' shows it");
            }
        }
    }

    private static IEnumerable<DiagnosisEntry> Service(DiagnosisFacts facts, bool over)
    {
        if (facts.NoService is { } fault)
        {
            if (!over)
            {
                yield return new(Warning, "no-service", "Changes, and whatever an attempt may have left", $"a process of the migration: {fault.Message}", $"{Run}; --server names another address");
            }

            yield break;
        }

        foreach (var (status, way) in new[] { (facts.Forward, "the way forward"), (facts.Back, "the way back") })
        {
            foreach (var known in status?.Faults ?? [])
            {
                yield return new(Error, known.Code, known.Topic is null ? way : $"lane {known.Topic}[{known.Partition}]{(known.Offset is { } offset ? $" at offset {offset}" : "")}", known.Message, known.Fix);
            }

            foreach (var finding in status?.Findings ?? [])
            {
                yield return new(finding.Severity, finding.Code, finding.Table is null ? way : $"{way}, {finding.Table}", finding.Message, finding.Fix);
            }

            if (status?.DeadLetters > 0)
            {
                yield return new(Error, "dead-letters", way, $"{status.DeadLetters} dead letters", "'cdcm dlq list' names rows and causes; mend the cause, then 'cdcm dlq retry --all'");
            }
        }
    }

    private static IEnumerable<DiagnosisEntry> AfterTheEnd(DiagnosisFacts facts)
    {
        yield return new(Info, "completed", "The migration is over", $"completed {facts.Target.Record!.CompletedAt:yyyy-MM-dd HH:mm:ss}Z by {facts.Target.Record.CompletedBy}", "");
        foreach (var side in Sides(facts).Where(side => side.Slot is not null))
        {
            yield return new(Warning, "left-behind", $"WAL of the {side.Name}", $"slot {side.SlotName}, which nobody needs any more", "Run 'cdcm cutover complete --yes' once more");
        }
    }

    private static string Text(Severity severity) => severity.ToString().ToLowerInvariant();
}

using System.Globalization;

namespace CdcMigrator.Cutover.Advising;

/// <summary>
/// The rules of decision. Pure: the same facts give the same advice. While the target takes writes, lost data and reads that take more than twice as long are reasons to go back; what is a little slower or
/// differs in a few rows is mended where applications are. Going back is never advised unless the way back is proven at this moment, nor cutting over without one; what is not known is never a reason for either.
/// </summary>
public static class AdviceRules
{
    /// <summary>Reads that take more than this many times as long are no matter of an index.</summary>
    public const double FarSlower = 2;

    /// <summary>A discrepancy of so many rows is mended where applications are.</summary>
    public const long SmallDiscrepancy = 100;

    /// <summary>What is to be done.</summary>
    public static Advice Of(AdviceFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        AdviceRule[] rules = [.. Rules(facts)];
        return new Advice(rules[0].Says, rules);
    }

    private static IEnumerable<AdviceRule> Rules(AdviceFacts facts) => facts.Standing switch
    {
        Standing.Over => [new AdviceRule("over", AdviceKind.Nothing, "The migration was completed", "Nothing is left to do")],
        Standing.Split => [new AdviceRule("split", AdviceKind.Mend, "Both sides take writes: that must not be", "Stop the applications on the side they were to leave, then 'cdcm diagnose -f FILE'")],
        Standing.Switching => Switching(facts),
        Standing.Window => InWindow(facts),
        Standing.Before => BeforeCutover(facts),
        _ => [new AdviceRule("unknown", AdviceKind.Wait, "A side does not say whether it takes writes", "'cdcm diagnose -f FILE' shows what does not answer")],
    };

    private static IEnumerable<AdviceRule> Switching(AdviceFacts facts)
    {
        var along = facts.IsGoingBack ? facts.Back : facts.Forward;
        if (facts.IsForsaken)
        {
            yield return new AdviceRule("forsaken", AdviceKind.Abort, "The attempt that closed a side does not renew its lease, and no process has lifted its fence", "'cdcm cutover abort', or 'cdcm cutover abort --offline -f FILE'");
        }
        else if ((along?.Broken ?? along?.Paused ?? along?.Fault) is { } obstacle)
        {
            yield return new AdviceRule("cannot-end", AdviceKind.Abort, $"The attempt under way cannot come to its proof: {obstacle}", "'cdcm cutover abort' lifts the fence at once; it is lifted by itself at the step's deadline");
        }

        yield return new AdviceRule("under-way", AdviceKind.Wait, "An attempt is under way", "'cdcm cutover status' shows its steps");
    }

    private static IEnumerable<AdviceRule> BeforeCutover(AdviceFacts facts)
    {
        if (facts.NoReturn)
        {
            yield return new AdviceRule(
                "left", AdviceKind.Mend, "The target was left without a way to it: what applications write to the source does not reach it", "Another migration, with a name of its own, copies the tables anew ('Starting over' in docs/cli.md)");
            yield break;
        }

        foreach (var rule in Obstacles("forward", facts.Forward, "'cdcm cutover check'"))
        {
            yield return rule;
        }

        if (facts.Forward is { IsProven: false })
        {
            yield break;
        }

        if (facts.Back is { } back)
        {
            // Of the way back nothing is compared before it is one: it runs, or it does not.
            if (!facts.IsPrepared)
            {
                yield return new AdviceRule("not-prepared", AdviceKind.Mend, "The sides are not prepared, so that there is no way back", "'cdcm cutover prepare'; applications notice nothing");
            }
            else if ((back.Broken ?? back.Fault ?? back.Paused ?? back.Slot) is { } missing && !facts.RequiresReverse)
            {
                yield return new AdviceRule("without-return", AdviceKind.CutOver, $"The way back does not work, and is not required: {missing}", "Where it does not work by then, there will be none: 'cdcm status --back' says what mends it");
            }
            else if ((back.Broken ?? back.Fault ?? back.Paused ?? back.Slot) is { } needed)
            {
                yield return new AdviceRule("no-way-back", AdviceKind.Mend, $"The way back does not work: {needed}", back.FaultFix.Length > 0 ? back.FaultFix : back.SlotFix.Length > 0 ? back.SlotFix : "'cdcm status --back'");
            }
        }

        foreach (var name in facts.Forward.Waived)
        {
            yield return new AdviceRule("waived", AdviceKind.CutOver, $"{name} does not pass, and was waived", "'cdcm waive --list' shows by whom and why");
        }

        yield return new AdviceRule(
            "gate-open", AdviceKind.CutOver, facts.Back is null ? "The gate is open; there is no way back from this source" : facts.RequiresReverse ? "The gate is open and the way back works" : "The gate is open", "'cdcm rehearse', then 'cdcm cutover start'");
    }

    private static IEnumerable<AdviceRule> InWindow(AdviceFacts facts)
    {
        var back = facts.Back;
        if (facts.LostRows > SmallDiscrepancy)
        {
            yield return GoBack("data-loss", $"{facts.LostRows} rows are on the side that was left and not on the target, or were written there by others", "'cdcm cutover status' and 'cdcm verify show' name tables and rows", facts);
        }

        foreach (var read in facts.SlowReads.Where(read => read.Ratio > FarSlower).OrderByDescending(read => read.Ratio))
        {
            yield return GoBack("far-slower", string.Create(CultureInfo.InvariantCulture, $"{read.Name} takes {read.Ratio:0.0} times as long on the target"), "Look at its plan on the target", facts);
        }

        foreach (var gap in facts.Gaps)
        {
            yield return new AdviceRule("fence-gap", AdviceKind.Mend, gap, "Close it, then 'cdcm verify start --wait'");
        }

        if (facts.LostRows is > 0 and <= SmallDiscrepancy)
        {
            yield return new AdviceRule("few-rows", AdviceKind.Mend, $"{facts.LostRows} rows are on the side that was left and not on the target, or were written there by others", "See which they are ('cdcm cutover status', 'cdcm verify show'), and write what is missing to the target");
        }

        if (facts.WrongRows > 0)
        {
            yield return new AdviceRule("copy-differs", AdviceKind.Mend, $"{facts.WrongRows} rows of the side that was left are not as on the target: going back would not bring them", "'cdcm tables repair T --all-wrong' with the address of the way back (docs/cli.md)");
        }

        foreach (var read in facts.SlowReads.Where(read => read.Ratio <= FarSlower))
        {
            yield return new AdviceRule("slower", AdviceKind.Mend, $"{read.Name}: {read.What}", "Tune it where it runs now, then 'cdcm benchmark -f FILE'");
        }

        if (!facts.IsRouted)
        {
            yield return new AdviceRule("not-routed", AdviceKind.Mend, "A hook that tells applications where to write has not succeeded yet", "'cdcm cutover status' says what to do by hand; it is tried again by itself");
        }

        if (back is null)
        {
            // Nothing is left to wait for.
            yield return new AdviceRule("no-way-back", AdviceKind.Complete, "There is no way back to the source", "'cdcm cutover complete' ends the migration");
            yield break;
        }

        if (facts.OpenFor >= facts.Window)
        {
            yield return new AdviceRule("window-over", AdviceKind.Complete, $"The target has taken writes for {Days(facts.OpenFor)}, the window was {Days(facts.Window)}", "'cdcm cutover complete' ends the migration; until then the way back is kept");
        }

        foreach (var rule in Obstacles("back", back, "'cdcm cutover check --back'"))
        {
            yield return rule;
        }

        if (facts.OpenFor < facts.Window)
        {
            yield return new AdviceRule(
                "in-window", AdviceKind.Wait,
                back.IsProven ? $"The target works and 'cdcm rollback' is possible; the window ends in {Days(facts.Window - facts.OpenFor)}" : $"The window ends in {Days(facts.Window - facts.OpenFor)}",
                "Watch the alerts; 'cdcm cutover complete' ends the window earlier");
        }
    }

    /// <summary>What stands in the way of a direction: what a person has to see to, then what passes by itself.</summary>
    private static IEnumerable<AdviceRule> Obstacles(string way, WayFacts facts, string check)
    {
        if (facts.Broken is { } broken)
        {
            yield return new AdviceRule($"{way}-log-broken", AdviceKind.Mend, broken, way == "back" ? "There is no going back before the way back was made anew: 'cdcm status --back' says how" : "'cdcm status' says how: 'cdcm tables resync --all'");
        }

        if (facts.Paused is { } paused)
        {
            yield return new AdviceRule($"{way}-paused", AdviceKind.Mend, paused, way == "back" ? "'cdcm resume --back'" : "'cdcm resume'");
        }

        if (facts.Fault is { } fault)
        {
            yield return new AdviceRule($"{way}-fault", AdviceKind.Mend, fault, facts.FaultFix.Length > 0 ? facts.FaultFix : check);
        }

        if (facts.Slot is { } slot)
        {
            yield return new AdviceRule($"{way}-slot", AdviceKind.Mend, slot, facts.SlotFix);
        }

        foreach (var criterion in (facts.Closing ?? []).OrderBy(criterion => criterion.Heals))
        {
            yield return new AdviceRule($"{way}-gate", criterion.Heals ? AdviceKind.Wait : AdviceKind.Mend, $"{criterion.Name}: {criterion.Measured}", criterion.Fix);
        }

        if (facts.Closing is null)
        {
            yield return new AdviceRule($"{way}-gate", AdviceKind.Wait, "The gate is not known", check);
        }
    }

    /// <summary>A reason to go back, where going back is known to work; else to mend what keeps it from that, first.</summary>
    private static AdviceRule GoBack(string name, string because, string mend, AdviceFacts facts) => facts.Back switch
    {
        // An attempt sends its markers through both logs.
        { IsProven: true } when (facts.Forward.Broken ?? facts.Forward.Fault) is { } other => new AdviceRule(
            name, AdviceKind.Mend, $"{because}; going back is not advised yet, for the direction it would turn off does not work, and an attempt needs both: {other}", "'cdcm status' says what mends it; then 'cdcm rollback'. Or go back for good, without it: 'cdcm rollback --no-return'"),
        { IsProven: true } => new AdviceRule(name, AdviceKind.RollBack, $"{because}; the way back is proven", "'cdcm rollback'"),
        null => new AdviceRule(name, AdviceKind.Mend, $"{because}; there is no way back", mend),
        { } back => new AdviceRule(name, AdviceKind.Mend, $"{because}; going back is not advised, for the way back is not proven: {Unproven(back)}", $"{mend}; then 'cdcm cutover check --back'"),
    };

    private static string Unproven(WayFacts back) => back.Broken ?? back.Fault ?? back.Paused ?? (back.Closing is { } closing ? string.Join(", ", closing.Select(criterion => $"{criterion.Name} {criterion.Measured}")) : "its gate is not known");

    private static string Days(TimeSpan time) => time.TotalDays >= 2 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.#} days") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h");
}

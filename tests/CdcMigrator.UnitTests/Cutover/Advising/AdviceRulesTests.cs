using CdcMigrator.Cutover.Advising;

namespace CdcMigrator.UnitTests.Cutover.Advising;

/// <summary>The rules of decision.</summary>
public sealed class AdviceRulesTests
{
    private static readonly WayFacts Works = new() { Closing = [] };
    private static readonly AdviceFacts Before = new() { Standing = Standing.Before, Forward = Works, Back = Works with { Closing = null }, IsPrepared = true, Window = TimeSpan.FromDays(14) };
    private static readonly AdviceFacts Window = Before with { Standing = Standing.Window, Back = Works, OpenFor = TimeSpan.FromDays(3) };
    private static readonly GateFact Lag = new("lag", "9s", "wait", Heals: true);
    private static readonly GateFact Mismatch = new("mismatches", "public.orders 7", "repair", Heals: false);

    public static TheoryData<string, AdviceKind, AdviceFacts> Cases() => new()
    {
        // Before.
        { "gate-open", AdviceKind.CutOver, Before },
        { "waived", AdviceKind.CutOver, Before with { Forward = Works with { Waived = ["reads"] } } },
        { "gate-open", AdviceKind.CutOver, Before with { Back = null } },
        { "forward-gate", AdviceKind.Wait, Before with { Forward = Works with { Closing = [Lag] } } },
        { "forward-gate", AdviceKind.Mend, Before with { Forward = Works with { Closing = [Lag, Mismatch] } } },
        { "forward-gate", AdviceKind.Wait, Before with { Forward = Works with { Closing = null } } },
        { "forward-paused", AdviceKind.Mend, Before with { Forward = Works with { Paused = "paused by ann" } } },
        { "forward-fault", AdviceKind.Mend, Before with { Forward = Works with { Fault = "a lane is halted" } } },
        { "forward-log-broken", AdviceKind.Mend, Before with { Forward = Works with { Broken = "the slot is lost", Paused = "paused" } } },
        { "forward-slot", AdviceKind.Mend, Before with { Forward = Works with { Slot = "near its limit", SlotFix = "raise it" } } },
        { "not-prepared", AdviceKind.Mend, Before with { IsPrepared = false } },
        { "no-way-back", AdviceKind.Mend, Before with { Back = Works with { Fault = "its connector failed" } } },
        { "no-way-back", AdviceKind.Mend, Before with { Back = Works with { Broken = "its slot is lost" } } },
        { "no-way-back", AdviceKind.Mend, Before with { Back = Works with { Slot = "near its limit", SlotFix = "raise it" } } },
        { "without-return", AdviceKind.CutOver, Before with { Back = Works with { Fault = "its connector failed" }, RequiresReverse = false } },
        { "left", AdviceKind.Mend, Before with { NoReturn = true, Back = null } },

        // An attempt.
        { "under-way", AdviceKind.Wait, Before with { Standing = Standing.Switching } },
        { "forsaken", AdviceKind.Abort, Before with { Standing = Standing.Switching, IsForsaken = true } },
        { "cannot-end", AdviceKind.Abort, Before with { Standing = Standing.Switching, Forward = Works with { Broken = "the slot is lost" } } },
        { "cannot-end", AdviceKind.Abort, Before with { Standing = Standing.Switching, Forward = Works with { Paused = "paused" } } },
        { "cannot-end", AdviceKind.Abort, Before with { Standing = Standing.Switching, IsGoingBack = true, Back = Works with { Fault = "the source is away" } } },
        { "under-way", AdviceKind.Wait, Before with { Standing = Standing.Switching, IsGoingBack = true, Forward = Works with { Broken = "the slot is lost" } } },

        // The window.
        { "no-way-back", AdviceKind.Complete, Window with { NoReturn = true, Back = null } },
        { "in-window", AdviceKind.Wait, Window },
        { "window-over", AdviceKind.Complete, Window with { OpenFor = TimeSpan.FromDays(14) } },
        { "data-loss", AdviceKind.RollBack, Window with { LostRows = 101 } },
        { "data-loss", AdviceKind.Mend, Window with { LostRows = 101, Forward = Works with { Broken = "the slot is lost" } } },
        { "few-rows", AdviceKind.Mend, Window with { LostRows = 100 } },
        { "few-rows", AdviceKind.Mend, Window with { LostRows = 1, OpenFor = TimeSpan.FromDays(20) } },
        { "far-slower", AdviceKind.RollBack, Window with { SlowReads = [new ReadFact("orders", 2.01, "slower")] } },
        { "slower", AdviceKind.Mend, Window with { SlowReads = [new ReadFact("orders", 2.0, "slower")] } },
        { "slower", AdviceKind.Mend, Window with { SlowReads = [new ReadFact("orders", 0, "Failed")] } },
        { "copy-differs", AdviceKind.Mend, Window with { WrongRows = 5 } },
        { "fence-gap", AdviceKind.Mend, Window with { Gaps = ["a trigger is disabled"] } },
        { "not-routed", AdviceKind.Mend, Window with { IsRouted = false } },
        { "back-gate", AdviceKind.Wait, Window with { Back = Works with { Closing = [Lag] } } },
        { "back-gate", AdviceKind.Mend, Window with { Back = Works with { Closing = [Mismatch] } } },
        { "back-fault", AdviceKind.Mend, Window with { Back = Works with { Fault = "the source is away" } } },
        { "back-paused", AdviceKind.Mend, Window with { Back = Works with { Paused = "paused" } } },
        { "back-log-broken", AdviceKind.Mend, Window with { Back = Works with { Broken = "its slot is lost" } } },
        { "back-slot", AdviceKind.Mend, Window with { Back = Works with { Slot = "near its limit", SlotFix = "raise it" } } },
        { "data-loss", AdviceKind.Mend, Window with { LostRows = 1000, Back = Works with { Closing = [Mismatch] } } },
        { "far-slower", AdviceKind.Mend, Window with { SlowReads = [new ReadFact("orders", 9, "slower")], Back = Works with { Closing = null } } },

        // The rest.
        { "over", AdviceKind.Nothing, Window with { Standing = Standing.Over } },
        { "split", AdviceKind.Mend, Window with { Standing = Standing.Split } },
        { "unknown", AdviceKind.Wait, Window with { Standing = Standing.Unknown, LostRows = 1000 } },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_first_rule_decides(string rule, AdviceKind kind, AdviceFacts facts)
    {
        var advice = AdviceRules.Of(facts);
        Assert.Equal((rule, kind, kind), (advice.Rules[0].Name, advice.Rules[0].Says, advice.Kind));
        Assert.All(advice.Rules, said => Assert.True(said is { Name.Length: > 0, Because.Length: > 0, Do.Length: > 0 }, said.ToString()));
    }

    /// <summary>Whatever else is found: every way in which the way back may not be proven, beside every reason to go back.</summary>
    [Fact]
    public void Going_back_is_never_advised_unless_the_way_back_is_proven_now()
    {
        WayFacts?[] unproven =
        [
            null, Works with { Closing = null }, Works with { Closing = [Lag] }, Works with { Closing = [Mismatch] }, Works with { Fault = "it does not run" }, Works with { Paused = "paused" }, Works with { Broken = "lost" },
        ];
        AdviceFacts[] reasons = [Window with { LostRows = 100_000 }, Window with { SlowReads = [new ReadFact("orders", 50, "slower")] }, Window with { LostRows = 5000, WrongRows = 7, Gaps = ["x"], IsRouted = false }];
        foreach (var facts in reasons)
        {
            Assert.Equal(AdviceKind.RollBack, AdviceRules.Of(facts).Kind);
            foreach (var back in unproven)
            {
                var advice = AdviceRules.Of(facts with { Back = back });
                Assert.DoesNotContain(advice.Rules, rule => rule.Says == AdviceKind.RollBack);
                Assert.Equal(AdviceKind.Mend, advice.Kind);
            }
        }
    }

    [Fact]
    public void Neither_cutting_over_nor_completing_is_advised_while_anything_stands_in_the_way()
    {
        foreach (var way in new[] { Works with { Closing = null }, Works with { Closing = [Lag] }, Works with { Fault = "x" }, Works with { Paused = "x" }, Works with { Broken = "x" } })
        {
            Assert.DoesNotContain(AdviceRules.Of(Before with { Forward = way }).Rules, rule => rule.Says == AdviceKind.CutOver);
        }

        var over = Window with { OpenFor = TimeSpan.FromDays(15) };
        foreach (var facts in new[] { over with { LostRows = 1 }, over with { WrongRows = 1 }, over with { Gaps = ["x"] }, over with { IsRouted = false }, over with { SlowReads = [new ReadFact("orders", 1.5, "slower")] } })
        {
            Assert.NotEqual(AdviceKind.Complete, AdviceRules.Of(facts).Kind);
        }
    }
}

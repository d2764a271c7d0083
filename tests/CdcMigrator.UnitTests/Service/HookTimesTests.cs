using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.UnitTests.Service;

/// <summary>How long hooks are expected to take.</summary>
public sealed class HookTimesTests
{
    [Fact]
    public void Hooks_of_a_moment_are_added_failures_do_not_count_and_what_never_ran_is_named()
    {
        var hooks = new RoutingHooks(new RouteSection { BeforeFence = [Hook("a"), Hook("b"), Hook("new")], AfterOpen = [Hook("a")] }, null!, TimeProvider.System);
        var times = new HookTimes([Ran("a", 10), Ran("a", 30), Ran("b", 5), Ran("b", 900) with { Fault = new Fault(FaultKind.Unreachable, "hook-failed", "no") }]);
        var unmeasured = new List<string>();
        Assert.Equal(new MeasuredTime(Ms(15), Ms(35)), times.Of(hooks, HookMoment.BeforeFence, unmeasured));
        Assert.Equal(["new"], unmeasured);
        Assert.Null(times.Of(hooks, HookMoment.AfterOpen, unmeasured));
        Assert.Equal(["new", "a"], unmeasured);
        Assert.Null(times.Of(hooks, HookMoment.OnAbort, unmeasured));
    }

    private static CommandHook Hook(string name) => new(name, [HookText.Plain("true")], new Dictionary<string, HookText>(), Ms(1000));

    private static HookOutcome Ran(string name, int ms) => new(HookMoment.BeforeFence, name, "exit code 0", "", Ms(ms), null);

    private static TimeSpan Ms(int ms) => TimeSpan.FromMilliseconds(ms);
}

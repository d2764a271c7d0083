using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Waivers;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.UnitTests.Service;

/// <summary>A waiver accepts what was found, of criteria beside the rows, and nothing else.</summary>
public sealed class WaiverRulesTests
{
    private static readonly DateTimeOffset Now = GateTests.Now;
    private static readonly Benchmark Orders = new("orders", "select 1", "select 1");
    private static readonly MigrationDefinition Definition = Scene.Definition with { Benchmarks = [Orders] };
    private static readonly BenchmarkResult Slower = new("orders", Orders.Fingerprint, BenchmarkOutcome.Slower, Now - TimeSpan.FromHours(1)) { Ratio = 2.42, MaxRatio = 2, Runs = 20 };
    private static readonly RuntimeStatus Slow = GateTests.Proven with { Benchmarks = [Slower] };

    [Fact]
    public void A_waiver_opens_the_gate_and_its_criterion_still_says_what_was_found()
    {
        Assert.False(Gate.Of(Definition, Slow, Now).Open);
        var gate = Gate.Of(Definition, Waived(Slow, "reads"), Now);
        Assert.True(gate.Open);
        var criterion = gate.Criteria.Single(known => known.Name == "reads");
        Assert.Equal(("FAIL", false, "ann", WaiverState.InForce), (criterion.State, criterion.Closes, criterion.Waiver!.By, criterion.Waiver.State));
    }

    [Fact]
    public void It_ends_when_something_else_is_found_when_its_time_is_over_and_when_it_is_not_needed()
    {
        var waived = Waived(Slow, "reads");
        WaiverState State(RuntimeStatus status, DateTimeOffset at) => WaiverRules.StateOf(waived.Waivers![0], Gate.Of(Definition, status, at), at);
        Assert.Equal(WaiverState.InForce, State(waived, Now));

        // As fast as before says the same; slower, or too old, does not.
        Assert.True(Gate.Of(Definition, waived with { Benchmarks = [Slower with { Ratio = 2.44, At = Now }] }, Now).Open);
        foreach (var other in new[] { Slower with { Ratio = 2.6 }, Slower with { Outcome = BenchmarkOutcome.Failed }, Slower with { At = Now - TimeSpan.FromHours(25) } })
        {
            Assert.False(Gate.Of(Definition, waived with { Benchmarks = [other] }, Now).Open);
            Assert.Equal(WaiverState.FoundOtherwise, State(waived with { Benchmarks = [other] }, Now));
        }

        Assert.False(Gate.Of(Definition, waived with { Waivers = [waived.Waivers![0] with { Until = Now }] }, Now).Open);
        Assert.True(Gate.Of(Definition, waived with { Waivers = [waived.Waivers![0] with { Until = Now + TimeSpan.FromTicks(1) }] }, Now).Open);
        Assert.Equal(WaiverState.NotNeeded, State(waived with { Benchmarks = [Slower with { Outcome = BenchmarkOutcome.Passed }] }, Now));
    }

    [Fact]
    public void Where_nobody_says_what_was_waived_nothing_is() => Assert.False(Gate.Of(Definition, Waived(Slow, "reads") with { Waivers = null }, Now).Open);

    [Fact]
    public void Results_that_differ_are_no_matter_of_speed()
    {
        var differs = Slow with { Benchmarks = [Slower with { Outcome = BenchmarkOutcome.Different }] };
        Assert.Equal("nothing-found", Refused(differs, "reads").Code);
    }

    /// <summary>Every criterion that does not pass, with whatever waiver there may be for it: only those beside the rows are opened by one.</summary>
    [Fact]
    public void What_proves_that_both_sides_are_equal_is_never_waived()
    {
        Assert.Equal(["reads", "rules", "constraints", "schemaHistory"], WaiverRules.Waivable.Keys);
        foreach (var name in Gate.Of(Definition, Slow, Now).Criteria.Select(criterion => criterion.Name).Where(name => !WaiverRules.Waivable.ContainsKey(name)))
        {
            var broken = new GateCriterion(name, "FAIL", "x", "y", "z") { Finding = "f" };
            Assert.Null(WaiverRules.Apply(broken, [new Waiver(name, "f", "x", "because", "ann", Now, null)], Now).Waiver);
            Assert.Equal("never-waived", Refused(Slow, name).Code);
        }

        var wrong = OneBroken(CheckKind.Counts, Result("public.orders", CheckState.Fail));
        Assert.All(Gate.Of(Definition, wrong, Now).Criteria.Where(criterion => criterion.Finding is not null), criterion => Assert.Contains(criterion.Name, WaiverRules.Waivable.Keys));
    }

    [Theory]
    [InlineData(CheckKind.Rules, "rules")]
    [InlineData(CheckKind.Constraints, "constraints")]
    [InlineData(CheckKind.SchemaHistory, "schemaHistory")]
    public void Of_checks_the_whole_finding_counts_and_not_what_is_shown_of_it(CheckKind kind, string name)
    {
        CheckResult[] found = [.. Enumerable.Range(1, 5).Select(i => Result($"thing {i}", CheckState.Fail) with { Difference = "5" })];
        var waived = Waived(OneBroken(kind, found), name);
        Assert.True(Gate.Of(Scene.Definition, waived, Now).Open);
        Assert.True(Gate.Of(Scene.Definition, With(waived, kind, [.. found.Reverse().Select(result => result with { Source = "1", Evidence = "elsewhere" })]), Now).Open);

        CheckResult[][] others =
        [
            [.. found, Result("thing 6", CheckState.Fail)],
            found[..4],
            [.. found[..4], found[4] with { Difference = "6" }],
            [.. found[..4], found[4] with { Message = "6 rows break it" }],
            [.. found[..4], found[4] with { State = CheckState.Error }],
        ];
        Assert.All(others, other => Assert.False(Gate.Of(Scene.Definition, With(waived, kind, other), Now).Open));

        // A question that is another one since, or that was not asked yet, or an answer that was not kept.
        Assert.False(Gate.Of(Scene.Definition, Report(waived, kind, report => report with { Asked = new Dictionary<string, string> { ["thing 1"] = "other" } }), Now).Open);
        Assert.False(Gate.Of(Scene.Definition, Report(waived, kind, report => report with { Changed = ["thing 9"] }), Now).Open);
        Assert.False(Gate.Of(Scene.Definition, Report(waived, kind, report => report with { More = 1 }), Now).Open);
        Assert.False(Gate.Of(Scene.Definition, Report(waived, kind, report => report with { Fault = "the source is away" }), Now).Open);
    }

    [Fact]
    public void A_rule_that_is_on_its_way_each_time_can_be_waived_and_not_if_it_fails_then()
    {
        var moving = OneBroken(CheckKind.Rules, Result("revenue", CheckState.InFlight));
        Assert.Equal("UNKNOWN", Gate.Of(Scene.Definition, moving, Now).Criteria.Single(criterion => criterion.Name == "rules").State);
        var waived = Waived(moving, "rules");
        Assert.True(Gate.Of(Scene.Definition, waived, Now).Open);
        Assert.False(Gate.Of(Scene.Definition, With(waived, CheckKind.Rules, [Result("revenue", CheckState.Fail)]), Now).Open);
    }

    [Fact]
    public void What_passes_what_nobody_knows_and_what_does_not_exist_is_refused_each_by_its_name()
    {
        Assert.Equal("nothing-to-waive", Refused(Slow, "rules").Code);
        Assert.Equal("nothing-found", Refused(Slow with { Benchmarks = null }, "reads").Code);
        var fault = Refused(Slow, "speed");
        Assert.Equal((FaultKind.Configuration, "unknown-criterion"), (fault.Kind, fault.Code));
    }

    private static Fault Refused(RuntimeStatus status, string criterion) => Assert.Throws<FaultException>(() => WaiverRules.Require(Gate.Of(Definition, status, Now), criterion)).Fault;

    private static RuntimeStatus Waived(RuntimeStatus status, string name)
    {
        var criterion = WaiverRules.Require(Gate.Of(name == "reads" ? Definition : Scene.Definition, status, Now), name);
        return status with { Waivers = [new Waiver(name, criterion.Finding!, criterion.Measured, "because", "ann", Now, null)] };
    }

    private static CheckResult Result(string name, CheckState state) => new(name, state, "found") { Severity = Severity.Error };

    private static RuntimeStatus OneBroken(CheckKind kind, params CheckResult[] results) => With(GateTests.Proven, kind, results);

    private static RuntimeStatus With(RuntimeStatus status, CheckKind kind, CheckResult[] results) => Report(status, kind, report => report with { Results = results });

    private static RuntimeStatus Report(RuntimeStatus status, CheckKind kind, Func<CheckReport, CheckReport> change) =>
        status with { Checks = [.. status.Checks!.Select(report => report.Kind == kind ? change(report) : report)] };
}

using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.UnitTests.Service;

/// <summary>UNKNOWN never passes.</summary>
public sealed class GateTests
{
    [Theory]
    [InlineData(4.9, "PASS")]
    [InlineData(5.0, "PASS")]
    [InlineData(5.1, "FAIL")]
    public void Lag_passes_up_to_the_limit(double seconds, string expected) =>
        Assert.Equal(expected, State("lag", Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 1, 9, seconds))));

    [Fact]
    public void Lag_is_unknown_while_a_lane_has_not_claimed_or_heard_its_end()
    {
        Assert.Equal("UNKNOWN", State("lag", Scene.Running(Scene.Lane("orders", 0, LaneState.Claiming, -1, 9))));
        Assert.Equal("UNKNOWN", State("lag", Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 9, -1))));
    }

    [Fact]
    public void Lag_is_unknown_without_lanes_or_with_a_broker_that_is_away()
    {
        Assert.Equal("UNKNOWN", State("lag", Scene.Running()));
        Assert.Equal("UNKNOWN", State("lag", new RuntimeStatus { Phase = RuntimePhase.Starting, Faults = [] }));
        var running = Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 9, 9));
        Assert.Equal("UNKNOWN", State("lag", running with { Pipeline = running.Pipeline! with { Fault = new Fault(FaultKind.Unreachable, "log-unreachable", "x") } }));
    }

    [Theory]
    [InlineData(LaneState.Running, "PASS")]
    [InlineData(LaneState.Paused, "PASS")]
    [InlineData(LaneState.Claiming, "UNKNOWN")]
    [InlineData(LaneState.Retrying, "UNKNOWN")]
    [InlineData(LaneState.Halted, "FAIL")]
    public void Lanes_pass_only_where_all_run(LaneState state, string expected) =>
        Assert.Equal(expected, State("lanes", Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 9, 9), Scene.Lane("orders", 1, state, 9, 9))));

    [Fact]
    public void The_gate_opens_when_all_criteria_hold_and_closes_when_nothing_is_known_of_the_rows()
    {
        Assert.True(Gate.Of(Scene.Definition, Proven, Now).Open);
        var gate = Gate.Of(Scene.Definition, Proven with { Verified = null, Reconciler = null }, Now);
        Assert.False(gate.Open);
        Assert.Equal(["reconciler", "verification", "mismatches", "rogueWrites", "dirtyKeys"], gate.Criteria.Where(criterion => criterion.State == "UNKNOWN").Select(criterion => criterion.Name));
    }

    public static TheoryData<string, string, RuntimeStatus> OneBroken()
    {
        TableState Orders(Func<TableState, TableState> change) => change(Proven.Verified![new TableName("public", "orders")]);
        RuntimeStatus With(Func<TableState, TableState> change) => Proven with { Verified = new Dictionary<TableName, TableState>(Proven.Verified!) { [new TableName("public", "orders")] = Orders(change) } };
        var key = new RowKey("7");
        var beat = Proven.Reconciler!;
        return new TheoryData<string, string, RuntimeStatus>
        {
            { "verification", "UNKNOWN", Proven with { ReaderSince = Proven.Verified!.Values.Max(state => state.CoveredAt) + TimeSpan.FromSeconds(1) } },
            { "verification", "UNKNOWN", Proven with { ReaderWaitsFor = "pid 7" } },
            { "lag", "FAIL", Proven with { Pipeline = Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 1, 9, 5.1)).Pipeline } },
            { "lag", "UNKNOWN", Proven with { Elsewhere = null } },
            { "lag", "UNKNOWN", Proven with { Elsewhere = new OtherLanes(3, 1) } },
            { "mismatches", "FAIL", With(state => state with { Verdict = Verdict.Mismatch }) },
            { "lanes", "FAIL", Proven with { Pipeline = Scene.Running(Scene.Lane("orders", 0, LaneState.Halted, 9, 9)).Pipeline } },
            { "source", "FAIL", Proven with { Findings = [new Finding(Severity.Warning, "resync-needed", "x", "y")] } },
            { "source", "FAIL", Proven with { SourceFaults = [new Fault(FaultKind.Unreachable, "connector-failed", "x")] } },
            { "source", "FAIL", Proven with { SourceFaults = [new Fault(FaultKind.LogBroken, "slot-lost", "x", "y")], SourceUnseen = ["schemas"] } },
            { "source", "UNKNOWN", Proven with { SourceUnseen = ["replication slot"] } },
            { "deadLetters", "FAIL", Proven with { DeadLetters = new Dictionary<string, long> { ["public.orders"] = 1 } } },
            { "deadLetters", "UNKNOWN", Proven with { DeadLetters = null } },
            { "copies", "FAIL", Proven with { Copying = ["public.orders"] } },
            { "copies", "FAIL", Proven with { Snapshot = "running" } },
            { "copies", "FAIL", Proven with { Snapshot = "running", Copying = null } },
            { "copies", "UNKNOWN", Proven with { Snapshot = null } },
            { "copies", "FAIL", Proven with { Snapshot = null, Copying = ["public.orders"] } },
            { "deadLetters", "FAIL", With(state => state with { Pending = Waiting(1) }) with { DeadLetters = new Dictionary<string, long> { ["public.orders"] = 1, ["public.customers"] = 0 } } },
            { "dirtyKeys", "FAIL", With(state => state with { Pending = Waiting(100_001) }) },
            { "dirtyKeys", "FAIL", With(state => state with { Pending = Waiting(60_000), DirtyKeys = 40_000 }) with { Reconciler = beat with { Behind = 1 } } },
            { "dirtyKeys", "FAIL", With(state => state with { Pending = Waiting(1), Verdict = Verdict.Suspended }) },
            { "copies", "UNKNOWN", Proven with { Copying = null } },
            { "reconciler", "FAIL", Proven with { Reconciler = beat with { Fault = "the source is a standby" } } },
            { "verification", "UNKNOWN", With(state => state with { Covered = false }) },
            { "verification", "UNKNOWN", Proven with { Verified = Proven.Verified!.Where(table => table.Key.Name != "orders").ToDictionary() } },
            { "verification", "FAIL", With(state => state with { CoveredAt = Now - TimeSpan.FromHours(24.1) }) },
            { "verification", "FAIL", With(state => state with { Verdict = Verdict.Unverifiable, Reason = "no key" }) },
            { "verification", "FAIL", With(state => state with { Verdict = Verdict.Error, Reason = "the source does not answer" }) },
            { "mismatches", "FAIL", With(state => state with { Wrong = new Dictionary<RowKey, RowMismatch> { [key] = new(key, DifferenceKind.Missing, []) } }) },
            { "mismatches", "FAIL", With(state => state with { WrongTruncated = true }) },
            { "rogueWrites", "FAIL", With(state => state with { Wrong = new Dictionary<RowKey, RowMismatch> { [key] = new(key, DifferenceKind.Missing, []) { Unlogged = true } } }) },
            { "dirtyKeys", "FAIL", With(state => state with { DirtyKeys = 100_001 }) },
            { "dirtyKeys", "FAIL", With(state => state with { Verdict = Verdict.Suspended }) },
            { "dirtyKeys", "FAIL", Proven with { Reconciler = beat with { Behind = 100_001 } } },
            { "mismatches", "FAIL", Check(CheckKind.Samples, report => report with { Results = [Result(CheckState.Fail)] }) },
            { "counts", "UNKNOWN", Proven with { Checks = null } },
            { "counts", "UNKNOWN", Proven with { Checks = [.. Proven.Checks!.Where(report => report.Kind != CheckKind.Counts)] } },
            { "counts", "FAIL", Check(CheckKind.Counts, report => report with { Results = [Result(CheckState.Pass), Result(CheckState.Fail)] }) },
            { "counts", "FAIL", Check(CheckKind.Counts, report => report with { Fault = "the source does not answer" }) },
            { "counts", "UNKNOWN", Check(CheckKind.Counts, report => report with { At = Now - TimeSpan.FromHours(24.1) }) },
            { "counts", "UNKNOWN", Check(CheckKind.Counts, report => report with { More = 1 }) },
            { "rules", "FAIL", Check(CheckKind.Rules, report => report with { Results = [Result(CheckState.Error)] }) },
            { "rules", "UNKNOWN", Check(CheckKind.Rules, report => report.Against(new Dictionary<string, string> { ["added"] = "1" })) },
            { "rules", "UNKNOWN", Check(CheckKind.Rules, report => (report with { Asked = Tightened("1"), Results = [Result(CheckState.Fail)] }).Against(Tightened("2"))) },
            { "rules", "FAIL", Check(CheckKind.Rules, report => (report with { Results = [Result(CheckState.Fail)] }).Against(new Dictionary<string, string> { ["added"] = "1" })) },
            { "counts", "UNKNOWN", Check(CheckKind.Counts, report => report.Against(new Dictionary<string, string> { ["public.added"] = "1" })) },
            { "rules", "FAIL", Check(CheckKind.Rules, report => report with { Results = [Result(CheckState.Error) with { Severity = Severity.Info }] }) },
            { "rules", "UNKNOWN", Check(CheckKind.Rules, report => report with { Results = [Result(CheckState.InFlight)] }) },
            { "rules", "UNKNOWN", Check(CheckKind.Rules, report => report with { Results = [Result(CheckState.InFlight) with { PassedAt = Now - TimeSpan.FromHours(24.1) }] }) },
            { "constraints", "FAIL", Check(CheckKind.Constraints, report => report with { Results = [Result(CheckState.Fail)] }) },
            { "schema", "FAIL", Check(CheckKind.Schema, report => report with { Results = [Result(CheckState.Fail)] }) },
            { "schemaHistory", "FAIL", Check(CheckKind.SchemaHistory, report => report with { Results = [Result(CheckState.Fail)] }) },
            { "sequences", "FAIL", Check(CheckKind.Sequences, report => report with { Results = [Result(CheckState.Fail)] }) },
        };
    }

    [Theory]
    [MemberData(nameof(OneBroken))]
    public void One_broken_criterion_keeps_the_gate_closed(string name, string state, RuntimeStatus status)
    {
        var gate = Gate.Of(Scene.Definition, status, Now);
        Assert.False(gate.Open);
        Assert.Contains(gate.Criteria, criterion => criterion.Name == name && criterion.State == state);
    }

    [Fact]
    public void What_was_not_asked_since_it_changed_is_named_with_the_command_that_asks()
    {
        var rules = Gate.Of(Scene.Definition, Check(CheckKind.Rules, report => report.Against(new Dictionary<string, string> { ["revenue"] = "1", ["orders"] = "2" })), Now).Criteria.Single(found => found.Name == "rules");
        Assert.Equal(("UNKNOWN", "not asked since it changed: orders, revenue", "'cdcm verify start' has it checked at once"), (rules.State, rules.Measured, rules.Fix));
        Assert.True(Gate.Of(Scene.Definition, Check(CheckKind.Rules, report => (report with { Asked = Tightened("2") }).Against(Tightened("2"))), Now).Open);
    }

    [Fact]
    public void A_few_rows_on_their_way_are_left_to_the_last_comparison_and_counted()
    {
        var orders = new TableName("public", "orders");
        var status = Proven with { Verified = new Dictionary<TableName, TableState>(Proven.Verified!) { [orders] = Proven.Verified![orders] with { Pending = Waiting(7), DirtyKeys = 5 } } };
        var gate = Gate.Of(Scene.Definition, status with { Reconciler = status.Reconciler! with { Behind = 3 } }, Now);
        Assert.True(gate.Open);
        Assert.Equal("20", gate.Criteria.Single(criterion => criterion.Name == "dirtyKeys").Measured);
        var parked = Gate.Of(Scene.Definition, status with { DeadLetters = new Dictionary<string, long> { ["public.orders"] = 7 } }, Now);
        Assert.Equal(["deadLetters"], parked.Criteria.Where(criterion => criterion.State != "PASS").Select(criterion => criterion.Name));
    }

    [Fact]
    public void A_comparison_that_is_held_says_why()
    {
        var held = Proven.Verified!.ToDictionary(table => table.Key, table => table.Value with { Covered = false, CoveredAt = null, Phase = TablePhase.Passing, Reason = "held: the initial snapshot is running" });
        var gate = Gate.Of(Scene.Definition, Proven with { Snapshot = "running", Verified = held }, Now);
        Assert.Contains(gate.Criteria, criterion => criterion is { Name: "verification", State: "UNKNOWN" } && criterion.Measured.EndsWith("(held: the initial snapshot is running)", StringComparison.Ordinal));
    }

    [Fact]
    public void Warnings_what_was_equal_before_it_moved_and_samples_do_not_close_the_gate()
    {
        Assert.True(Gate.Of(Scene.Definition, Check(CheckKind.Schema, report => report with { Results = [Result(CheckState.Fail) with { Severity = Severity.Warning }] }), Now).Open);
        Assert.True(Gate.Of(Scene.Definition, Check(CheckKind.Rules, report => report with { Results = [Result(CheckState.InFlight) with { PassedAt = Now - TimeSpan.FromHours(1) }] }), Now).Open);
        Assert.True(Gate.Of(Scene.Definition, Proven with { Checks = [.. Proven.Checks!.Where(report => report.Kind != CheckKind.Samples)] }, Now).Open);
    }

    [Fact]
    public void A_sample_that_passes_covers_nothing()
    {
        var orders = new TableName("public", "orders");
        var sampled = Check(CheckKind.Samples, report => report with { Results = [Result(CheckState.Pass) with { IsSampled = true, PassedAt = Now }] });
        var uncovered = new Dictionary<TableName, TableState>(Proven.Verified!) { [orders] = Proven.Verified![orders] with { Covered = false, CoveredAt = null, EqualAt = null, Verdict = Verdict.Unverified } };
        var gate = Gate.Of(Scene.Definition, sampled with { Verified = uncovered }, Now);
        Assert.False(gate.Open);
        Assert.NotEqual("PASS", gate.Criteria.Single(criterion => criterion.Name == "verification").State);
    }

    [Fact]
    public void Every_criterion_that_does_not_pass_says_what_to_do() => Assert.All(
        Gate.Of(Scene.Definition, Proven with { Verified = null, Reconciler = null, Checks = null, DeadLetters = null, Copying = null }, Now).Criteria,
        criterion => Assert.Equal(criterion.State == "PASS", criterion.Fix.Length == 0));

    [Fact]
    public void What_was_found_counts_only_while_somebody_goes_on_looking()
    {
        var gate = Gate.Of(Scene.Definition, Proven with { Reconciler = Proven.Reconciler! with { Age = TimeSpan.FromSeconds(31) } }, Now);
        Assert.Equal(["reconciler", "dirtyKeys"], gate.Criteria.Where(criterion => criterion.State != "PASS").Select(criterion => criterion.Name));
    }

    [Fact]
    public void Dead_letters_pass_only_where_the_target_says_that_there_are_none()
    {
        var running = Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 9, 9));
        Assert.Equal("UNKNOWN", State("deadLetters", running));
        Assert.Equal("PASS", State("deadLetters", running with { DeadLetters = new Dictionary<string, long>() }));
        var parked = running with { DeadLetters = new Dictionary<string, long> { ["public.orders"] = 2, ["public.items"] = 1 } };
        var criterion = Gate.Of(Scene.Definition, parked, Now).Criteria.Single(found => found.Name == "deadLetters");
        Assert.Equal(("FAIL", "3 (public.items 1, public.orders 2)"), (criterion.State, criterion.Measured));
    }

    private static Dictionary<string, string> Tightened(string fingerprint) => new() { ["public.orders"] = fingerprint };

    private static Dictionary<RowKey, DateTimeOffset> Waiting(int rows) => Enumerable.Range(0, rows).ToDictionary(i => new RowKey($"{i}"), _ => Now);

    private static CheckResult Result(CheckState state) => new("public.orders", state, "found");

    private static RuntimeStatus Check(CheckKind kind, Func<CheckReport, CheckReport> change) =>
        Proven with { Checks = [.. Proven.Checks!.Select(report => report.Kind == kind ? change(report) : report)] };

    internal static DateTimeOffset Now { get; } = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    internal static RuntimeStatus Proven { get; } = Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 9, 9), Scene.Lane("customers", 0, LaneState.Running, 9, 9)) with
    {
        DeadLetters = new Dictionary<string, long>(),
        Copying = [],
        Snapshot = "done",
        Checks = [.. Enum.GetValues<CheckKind>().Select(kind => new CheckReport { Kind = kind, At = Now - TimeSpan.FromMinutes(1), Results = [Result(CheckState.Pass)] })],
        Reconciler = new ReconcilerBeat(Now, TimeSpan.FromSeconds(1), 10, null),
        Verified = Scene.Definition.Tables.ToDictionary(table => table.Source, table => new TableState
        {
            Table = table.Source,
            Covered = true,
            CoveredAt = Now - TimeSpan.FromHours(1),
            Verdict = Verdict.InFlight,
            DirtyKeys = 5,
            Phase = TablePhase.Done,
            Run = 1,
        }),
    };

    private static string State(string criterion, RuntimeStatus status) =>
        Gate.Of(Scene.Definition, status, Now).Criteria.Single(found => found.Name == criterion).State;
}

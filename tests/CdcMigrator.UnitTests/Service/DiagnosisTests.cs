using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Diagnosing;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Watching;

namespace CdcMigrator.UnitTests.Service;

/// <summary>What is said of a migration, from what everybody says of himself.</summary>
public sealed class DiagnosisTests
{
    private static readonly SideFacts Source = new("source") { Record = Row(FenceState.Open, 1), SlotName = "cdcm_shop", Slot = Slot("cdcm_shop") };
    private static readonly SideFacts Target = new("target") { Record = Row(FenceState.Sealed, 0), SlotName = "cdcm_shop_back", Slot = Slot("cdcm_shop_back"), LanesOpen = 6 };
    private static readonly DiagnosisFacts Well = new("shop", Source, Target);
    private static readonly ConnectSection Connect = new(new Uri("http://connect:8083"), "shop-connector");

    [Fact]
    public void Nothing_is_said_where_nothing_is_wrong()
    {
        Assert.Empty(Report(Well, ok: true));
        Assert.Empty(Report(Well with { Source = Source with { Record = Row(FenceState.Sealed, 2, "a"), LanesOpen = 6 }, Target = Target with { Record = Row(FenceState.Open, 2, "a"), LanesOpen = 0, LanesFrozen = 6 } }, ok: true));
        Assert.Equal(["not-prepared"], Report(Well with { Source = Source with { Record = null }, Target = Target with { Record = null } }, ok: true));
    }

    [Theory]
    [InlineData(FenceState.Open, FenceState.Open, "both-open")]
    [InlineData(FenceState.Sealed, FenceState.Sealed, "nobody-open")]
    [InlineData(FenceState.Closed, FenceState.Sealed, "attempt-running")]
    public void Rows_that_do_not_go_together_and_attempts_are_named(FenceState source, FenceState target, string code) =>
        Assert.Contains(code, Report(Well with { Source = Source with { Record = Row(source, 2, "a", lease: 5) }, Target = Target with { Record = Row(target, 1) } }));

    [Fact]
    public void A_lease_that_is_over_names_the_command_that_needs_no_service()
    {
        var entry = Assert.Single(Entries(Well with { Source = Source with { Record = Row(FenceState.Closed, 2, "a", lease: -7) } }));
        Assert.Equal(("error", "lease-over"), (entry.Severity, entry.Code));
        Assert.Contains("7 s ago", entry.For, StringComparison.Ordinal);
        Assert.Contains("cdcm cutover abort --offline -f FILE", entry.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_side_that_was_left_says_which_one_is_to_be_opened()
    {
        var entry = Assert.Single(Entries(Well with { Source = Source with { Record = Row(FenceState.Sealed, 5, "a"), LanesOpen = 6 }, Target = Target with { Record = Row(FenceState.Sealed, 4, "b") } }));
        Assert.StartsWith("the target to be opened: attempt a", entry.For, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_with_a_side_is_said_with_what_helps()
    {
        var left = Source with
        {
            Gaps = ["public.orders has no enabled trigger of the fence"],
            ShutAt = DateTimeOffset.UnixEpoch,
            Waiting = new Fault(FaultKind.TimedOut, "fence-waits", "public.orders is locked by pid 7", "select pg_terminate_backend(7)"),
            Obstacles = [new Finding(Severity.Error, "fence-long-transaction", "pid 7", "end it"), new Finding(Severity.Warning, "vacuum-due", "soon")],
            Leaked = new Dictionary<string, long> { ["public.orders"] = 3 },
            LanesOpen = 2,
            Slot = Slot("cdcm_shop") with { Active = false },
        };
        Assert.Equal(["fence-waits", "fence-gap", "side-shut", "leaked-writes", "lanes-open", "fence-long-transaction", "slot-inactive"], Report(Well with { Source = left }));
    }

    [Fact]
    public void Frozen_lanes_into_a_side_that_was_left_without_a_way_to_it_are_no_fault()
    {
        var left = Target with { Record = Target.Record! with { NoReturn = true }, LanesOpen = 0, LanesFrozen = 6 };
        Assert.Equal(["no-way-back"], Report(Well with { Target = left }, ok: true));
    }

    [Fact]
    public void A_side_that_does_not_answer_hides_nothing_of_the_other_one()
    {
        var codes = Report(Well with { Source = new SideFacts("source") { Away = new Fault(FaultKind.Unreachable, "refused", "nobody listens") }, Target = Target with { LanesOpen = 0, LanesFrozen = 6 } });
        Assert.Equal(["source-away", "lanes-frozen"], codes);
    }

    [Theory]
    [InlineData("RUNNING", "RUNNING", null)]
    [InlineData("RUNNING", "FAILED", "connector-failed")]
    [InlineData("PAUSED", "PAUSED", "connector-paused")]
    [InlineData("RUNNING", "UNASSIGNED", "connector-not-running")]
    [InlineData(null, null, "connector-unknown")]
    public void Connectors_that_do_not_run_are_named(string? state, string? task, string? code)
    {
        var status = state is null ? null : new ConnectorStatus("shop-connector", state, "w", [new ConnectorTask(0, task!, "w", "")]);
        Assert.Equal(code is null ? [] : [code], Report(Well with { Connectors = [new ConnectorFacts(Connect, status, null)] }, ok: code is null));
    }

    [Fact]
    public void What_a_service_says_of_a_connector_that_has_failed_is_not_said_twice()
    {
        var status = new ConnectorStatus("shop-connector", "RUNNING", "w", [new ConnectorTask(0, "FAILED", "w", "java.io.IOException: gone")]);
        var failed = ConnectorRules.Failed(Connect, status, new RestartOutlook(1, 7) { Next = TimeSpan.FromSeconds(4) })!;
        var facts = Well with { Connectors = [new ConnectorFacts(Connect, status, null)], Forward = Service(failed) };
        var entry = Assert.Single(Entries(facts));
        Assert.Equal(("connector-failed", failed.Message), (entry.Code, entry.For));

        // Another connector, or another cause, is told of beside it.
        Assert.Equal(["connector-failed", "connector-failed"], Report(facts with { Forward = Service(failed with { Message = "Connector another has failed: gone" }) }));
    }

    [Fact]
    public void A_connect_that_does_not_answer_is_no_missing_connector() =>
        Assert.Equal(["connect-unreachable"], Report(Well with { Connectors = [new ConnectorFacts(Connect, null, new Fault(FaultKind.Unreachable, "connect", "refused"))] }));

    [Fact]
    public void A_slot_that_is_lost_or_gone_is_an_error_and_one_that_is_not_due_yet_is_not()
    {
        Assert.Equal(["slot-lost"], Report(Well with { Source = Source with { Slot = Slot("cdcm_shop") with { WalStatus = "lost" } } }));
        Assert.Equal(["slot-missing"], Report(Well with { Source = Source with { Slot = null } }));
        Assert.Empty(Report(Well with { Source = Source with { Slot = null }, Target = Target with { LanesOpen = 0 } }, ok: true));
        Assert.Empty(Report(Well with { Target = Target with { Slot = null } }, ok: true));
    }

    [Fact]
    public void Without_a_service_changes_wait_and_hooks_that_were_not_run_are_named_where_there_are_some()
    {
        var opened = Well with
        {
            Source = Source with { Record = Row(FenceState.Sealed, 2, "a"), LanesOpen = 6 },
            Target = Target with { Record = Row(FenceState.Open, 2, "a") with { Age = TimeSpan.FromMinutes(1) }, LanesOpen = 0, LanesFrozen = 6 },
            NoService = new Fault(FaultKind.Unreachable, "service", "nobody answers"),
        };
        Assert.Equal(["no-service"], Report(opened));
        Assert.Equal(["not-routed", "no-service"], Report(opened with { Routes = true }));
    }

    [Fact]
    public void After_the_end_only_what_was_left_behind_is_wrong()
    {
        var over = Well with
        {
            Source = Source with { Slot = null, Record = Row(FenceState.Sealed, 2, "a") },
            Target = Target with { Slot = null, Record = Row(FenceState.Open, 2, "a") with { CompletedAt = DateTimeOffset.UnixEpoch, CompletedBy = "somebody" } },
            NoService = new Fault(FaultKind.Unreachable, "service", "nobody answers"),
        };
        Assert.Equal(["completed"], Report(over, ok: true));
        Assert.Equal(["left-behind", "completed"], Report(over with { Source = over.Source with { Slot = Slot("cdcm_shop") } }));
    }

    private static StatusReport Service(Fault fault) => StatusReports.Status(Scene.Definition, Scene.Running() with { Faults = [fault] }, DateTimeOffset.UnixEpoch);

    private static IReadOnlyList<string> Report(DiagnosisFacts facts, bool ok = false)
    {
        var report = Diagnosis.Of(facts);
        Assert.Equal(ok, report.Ok);
        return [.. report.Entries.Select(entry => entry.Code)];
    }

    private static IReadOnlyList<DiagnosisEntry> Entries(DiagnosisFacts facts) => Diagnosis.Of(facts).Entries;

    private static FenceRecord Row(FenceState state, long epoch, string token = "", double lease = 0) => new(state, epoch, token, TimeSpan.FromSeconds(lease));

    private static SlotState Slot(string name) => new(name, 100, 1000, true, "reserved");
}

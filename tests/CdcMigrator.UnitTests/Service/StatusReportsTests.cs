using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Status;
using CdcMigrator.Postgres.Resync;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Golden;

namespace CdcMigrator.UnitTests.Service;

public sealed class StatusReportsTests
{
    private static readonly RuntimeStatus Busy = Scene.Running(
        Scene.Lane("orders", 0, LaneState.Running, 100, 110, 1.25),
        Scene.Lane("orders", 1, LaneState.Halted, 150, 400, 12.5, Scene.UnknownColumn),
        Scene.Lane("customers", 0, LaneState.Claiming, -1, -1)) with
    { DeadLetters = new Dictionary<string, long> { ["public.orders"] = 2 } };

    [Fact]
    public void The_status_json_is_frozen() => GoldenFile.Matches("json-status", Json(StatusReports.Status(Scene.Definition, Busy, DateTimeOffset.UnixEpoch)));

    [Fact]
    public void The_lag_json_is_frozen() => GoldenFile.Matches("json-lag", Json(StatusReports.Lag(Scene.Definition, Busy)));

    [Fact]
    public void The_tables_json_is_frozen() => GoldenFile.Matches("json-tables", Json(StatusReports.Tables(
        Scene.Definition,
        Busy with { Snapshot = "done", Findings = [new Finding(Severity.Warning, "resync-needed", "rows may differ", "Run it") { Table = "public.customers" }] },
        [new ResyncState("public.orders", "id", "removing", "marker:1", 1, 7, null, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 1, 1, 0, 1, 0, TimeSpan.Zero))],
        _ => 42)));

    [Fact]
    public void The_preflight_json_is_frozen() => GoldenFile.Matches("json-preflight", Json(PreflightReport.Of(
    [
        new Finding(Severity.Info, "topic-not-there-yet", "Topic shop.public.orders does not exist yet") { Table = "public.orders" },
        new Finding(Severity.Error, "replica-identity", "public.orders has no replica identity", "ALTER TABLE …") { Table = "public.orders", Column = "id" },
        new Finding(Severity.Warning, "slots", "few slots are left", "Raise max_replication_slots"),
    ])));

    [Fact]
    public void Lag_is_the_sum_of_records_and_the_oldest_change()
    {
        var status = StatusReports.Status(Scene.Definition, Busy, DateTimeOffset.UnixEpoch);
        Assert.Equal(260, status.Lag.Records);
        Assert.Equal(12.5, status.Lag.Seconds);
    }

    [Fact]
    public void Lag_by_table_sums_the_tables_lanes_and_names_a_table_without_a_topic()
    {
        var lag = StatusReports.Lag(Scene.Definition, Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 1, 3), Scene.Lane("orders", 1, LaneState.Running, 5, 9)));
        Assert.Equal(("public.orders", 2, 6L), (lag.Tables[0].Table, lag.Tables[0].Partitions, lag.Tables[0].Records));
        Assert.Equal(("public.customers", 0, 0L), (lag.Tables[1].Table, lag.Tables[1].Partitions, lag.Tables[1].Records));
    }

    [Fact]
    public void What_the_start_waits_for_is_shown_before_anything_runs()
    {
        var status = StatusReports.Status(Scene.Definition, new RuntimeStatus
        {
            Phase = RuntimePhase.Starting,
            Faults = [new Fault(FaultKind.Unreachable, "unreachable", "the target does not answer", "Start it")],
        }, DateTimeOffset.UnixEpoch);
        Assert.Equal(ServicePhase.Starting, status.Phase);
        Assert.Equal("unreachable", Assert.Single(status.Faults).Code);
        Assert.Equal(["Start it"], status.NextSteps);
        Assert.False(status.Gate.Open);
    }

    [Fact]
    public void The_worst_fault_comes_first()
    {
        var faults = new[] { FaultKind.Transient, FaultKind.Poison, FaultKind.LogBroken }.Select(kind => new Fault(kind, $"{kind}", "x"));
        var status = StatusReports.Status(Scene.Definition, new RuntimeStatus { Phase = RuntimePhase.Running, Faults = [.. faults] }, DateTimeOffset.UnixEpoch);
        Assert.Equal([FaultKind.LogBroken, FaultKind.Poison, FaultKind.Transient], status.Faults.Select(fault => fault.Kind));
    }

    [Fact]
    public void A_caught_up_migration_names_the_commands_that_lead_on() => Assert.Contains(
        "'cdcm cutover check'", Assert.Single(StatusReports.Status(Scene.Definition, Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 5, 5)), DateTimeOffset.UnixEpoch).NextSteps), StringComparison.Ordinal);

    [Fact]
    public void A_halted_migration_names_the_fix_and_says_that_lanes_retry()
    {
        var steps = StatusReports.Status(Scene.Definition, Busy, DateTimeOffset.UnixEpoch).NextSteps;
        Assert.Equal("Add the column to the target", steps[0]);
        Assert.Contains("try again by themselves", steps[1], StringComparison.Ordinal);
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, ApiJson.Options);
}

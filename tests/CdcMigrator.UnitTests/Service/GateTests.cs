using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
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
    public void The_gate_stays_closed_while_nothing_was_verified()
    {
        var gate = Gate.Of(new CutoverSection(), Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 9, 9)) with { DeadLetters = new Dictionary<string, long>() });
        Assert.False(gate.Open);
        Assert.Equal("verification", Assert.Single(gate.Criteria, criterion => criterion.State != "PASS").Name);
    }

    [Fact]
    public void Dead_letters_pass_only_where_the_target_says_that_there_are_none()
    {
        var running = Scene.Running(Scene.Lane("orders", 0, LaneState.Running, 9, 9));
        Assert.Equal("UNKNOWN", State("deadLetters", running));
        Assert.Equal("PASS", State("deadLetters", running with { DeadLetters = new Dictionary<string, long>() }));
        var parked = running with { DeadLetters = new Dictionary<string, long> { ["public.orders"] = 2, ["public.items"] = 1 } };
        var criterion = Gate.Of(new CutoverSection(), parked).Criteria.Single(found => found.Name == "deadLetters");
        Assert.Equal(("FAIL", "3 (public.items 1, public.orders 2)"), (criterion.State, criterion.Measured));
    }

    private static string State(string criterion, RuntimeStatus status) =>
        Gate.Of(new CutoverSection(), status).Criteria.Single(found => found.Name == criterion).State;
}

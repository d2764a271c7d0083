using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Status;
using CdcMigrator.Service.Http;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.UnitTests.Service;

public sealed class HealthTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, true)]
    [InlineData(29, true)]
    [InlineData(31, false)]
    public void Live_as_long_as_the_poll_loop_turns(int secondsAgo, bool expected) =>
        Assert.Equal(expected, HealthApi.Live(Pipeline(Now.AddSeconds(-secondsAgo)), Now).Ok);

    [Fact]
    public void Live_while_the_start_waits_for_dependencies()
    {
        Assert.True(HealthApi.Live(null, Now).Ok);
        Assert.True(HealthApi.Live(Pipeline(default), Now).Ok);
    }

    [Fact]
    public void Live_whatever_the_dependencies_do() => Assert.True(HealthApi.Live(
        Pipeline(Now) with { Fault = new Fault(FaultKind.Unreachable, "log-unreachable", "Kafka is away") }, Now).Ok);

    [Fact]
    public void Startup_names_what_is_waited_for()
    {
        var health = HealthApi.Startup(new RuntimeStatus
        {
            Phase = RuntimePhase.Starting,
            Faults = [new Fault(FaultKind.Configuration, "missing-table", "public.t is missing", "Create it")],
        });
        Assert.False(health.Ok);
        Assert.Equal("waiting: public.t is missing. Create it", health.Detail);
        Assert.True(HealthApi.Startup(new RuntimeStatus { Phase = RuntimePhase.Running, Faults = [] }).Ok);
    }

    private static PipelineStatus Pipeline(DateTimeOffset lastPoll) => new() { Lanes = [], Applied = default(ApplyCounts), LastPollAt = lastPoll };
}

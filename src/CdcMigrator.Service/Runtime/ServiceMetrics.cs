using Prometheus;

namespace CdcMigrator.Service.Runtime;

/// <summary>Metrics of the process as a whole. The constant label <c>migration</c> is the registry's.</summary>
public sealed class ServiceMetrics
{
    private readonly Gauge phase;
    private readonly Gauge retained;
    private readonly Gauge connectorUp;
    private readonly Gauge connectorTasks;
    private readonly Gauge laneHalted;

    /// <summary>Registers the metrics and sets the build's version.</summary>
    public ServiceMetrics(IMetricFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        factory.CreateGauge("cdcmigrator_build_info", "1, labelled with the version that runs.", ["version"])
            .WithLabels(typeof(ServiceMetrics).Assembly.GetName().Version?.ToString(3) ?? "0.0.0").Set(1);
        phase = factory.CreateGauge("cdcmigrator_phase", "1 for the phase the process is in, 0 for the others.", ["phase"]);
        retained = factory.CreateGauge("cdcmigrator_source_slot_retained_bytes", "WAL the source keeps because of the replication slot.", ["slot"]);
        connectorUp = factory.CreateGauge("cdcmigrator_connector_up", "1 while Kafka Connect says the connector and all its tasks are running.", ["connector"]);
        connectorTasks = factory.CreateGauge("cdcmigrator_connector_tasks", "Tasks of the connector by state.", ["connector", "state"]);
        laneHalted = factory.CreateGauge("cdcmigrator_lane_halted", "1 while a lane is stopped by a fault a person must see to.", ["topic", "partition"]);
    }

    internal void SetPhase(RuntimePhase now)
    {
        foreach (var known in Enum.GetValues<RuntimePhase>())
        {
            phase.WithLabels(known.ToString().ToLowerInvariant()).Set(known == now ? 1 : 0);
        }
    }

    internal void SetRetained(string slot, long bytes) => retained.WithLabels(slot).Set(bytes);

    internal void SetConnector(string connector, IEnumerable<string> taskStates, bool running)
    {
        connectorUp.WithLabels(connector).Set(running ? 1 : 0);
        var states = taskStates.Select(state => state.ToLowerInvariant()).CountBy(state => state).ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var state in new[] { "running", "failed", "paused", "unassigned", "restarting" })
        {
            connectorTasks.WithLabels(connector, state).Set(states.GetValueOrDefault(state));
        }
    }

    internal void SetLanes(IEnumerable<Domain.Status.LaneStatus> lanes)
    {
        foreach (var lane in lanes)
        {
            laneHalted.WithLabels(lane.Lane.Topic, lane.Lane.Partition.ToString(System.Globalization.CultureInfo.InvariantCulture))
                .Set(lane.State == Domain.Status.LaneState.Halted ? 1 : 0);
        }
    }
}

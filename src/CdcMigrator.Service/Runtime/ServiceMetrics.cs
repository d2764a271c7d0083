using CdcMigrator.Domain.Preflight;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Repairing;
using CdcMigrator.Service.Switching;
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
    private readonly Gauge slotActive;
    private readonly Gauge slotLost;
    private readonly Gauge slotLimit;
    private readonly Gauge connectorStalled;
    private readonly Counter connectorRestarts;
    private readonly Gauge schemaDrift;
    private readonly Gauge logBroken;
    private readonly Gauge deadLetters;
    private readonly Gauge paused;

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
        deadLetters = factory.CreateGauge("cdcmigrator_dead_letters_pending", "Dead letters in the target now, of all processes.", ["table"]);
        laneHalted = factory.CreateGauge("cdcmigrator_lane_halted", "1 while a lane is stopped by a fault a person must see to.", ["topic", "partition"]);
        slotActive = factory.CreateGauge("cdcmigrator_source_slot_active", "1 while the replication slot is being read.", ["slot"]);
        slotLost = factory.CreateGauge("cdcmigrator_source_slot_lost", "1 where the source gave the slot up, or it is gone.", ["slot"]);
        slotLimit = factory.CreateGauge("cdcmigrator_source_slot_limit_bytes", "Most WAL the source keeps for a slot (max_slot_wal_keep_size); absent without a limit.", ["slot"]);
        connectorStalled = factory.CreateGauge("cdcmigrator_connector_stalled_seconds", "How long a connector that says it runs has made no progress; 0 while it does.", ["connector"]);
        connectorRestarts = factory.CreateCounter("cdcmigrator_connector_restarts_total", "Restarts of the connector this process asked Kafka Connect for because it had failed.", ["connector"]);
        schemaDrift = factory.CreateGauge("cdcmigrator_schema_drift", "Differences between the source's and the target's schema, or reasons to copy a table again.", ["table", "code"]);
        logBroken = factory.CreateGauge("cdcmigrator_log_broken", "1 where the log is known to have lost changes, until the tables are copied again.");
        paused = factory.CreateGauge("cdcmigrator_paused", "1 while nothing is applied because a person paused the migration.");
        Verification = new VerificationMetrics(factory);
        Repairs = new RepairMetrics(factory);
        Window = new WindowMetrics(factory);
    }

    /// <summary>Equality of both sides, and the gate.</summary>
    internal VerificationMetrics Verification { get; }

    /// <summary>Closed sides.</summary>
    internal WindowMetrics Window { get; }

    /// <summary>Repairs of rows.</summary>
    internal RepairMetrics Repairs { get; }

    internal void SetPhase(RuntimePhase now)
    {
        foreach (var known in Enum.GetValues<RuntimePhase>())
        {
            phase.WithLabels(known.ToString().ToLowerInvariant()).Set(known == now ? 1 : 0);
        }
    }

    internal void SetSlot(string slot, SlotState? state)
    {
        slotActive.WithLabels(slot).Set(state is { Active: true } ? 1 : 0);
        if (state is null)
        {
            return;
        }

        retained.WithLabels(slot).Set(state.RetainedBytes);
        slotLost.WithLabels(slot).Set(state.Lost ? 1 : 0);
        if (state.LimitBytes is { } limit)
        {
            slotLimit.WithLabels(slot).Set(limit);
        }
    }

    internal void SetStalled(string connector, TimeSpan time) => connectorStalled.WithLabels(connector).Set(time.TotalSeconds);

    internal void AddRestart(string connector) => connectorRestarts.WithLabels(connector).Inc();

    internal void SetPaused(bool isPaused) => paused.Set(isPaused ? 1 : 0);

    internal void SetBroken(bool broken) => logBroken.Set(broken ? 1 : 0);

    internal void SetDrift(IReadOnlyList<Finding> findings)
    {
        var counts = findings.CountBy(finding => (Table: finding.Table ?? "", finding.Code)).ToDictionary();
        foreach (var labels in schemaDrift.GetAllLabelValues())
        {
            counts.TryAdd((labels[0], labels[1]), 0);
        }

        foreach (var ((table, code), count) in counts)
        {
            schemaDrift.WithLabels(table, code).Set(count);
        }
    }

    internal void SetConnector(string connector, IEnumerable<string> taskStates, bool running)
    {
        connectorUp.WithLabels(connector).Set(running ? 1 : 0);

        // A count that is there before the first one: an increase from nothing is none.
        connectorRestarts.WithLabels(connector).Inc(0);
        var states = taskStates.Select(state => state.ToLowerInvariant()).CountBy(state => state).ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var state in new[] { "running", "failed", "paused", "unassigned", "restarting" })
        {
            connectorTasks.WithLabels(connector, state).Set(states.GetValueOrDefault(state));
        }
    }

    /// <summary>Sets the count of each table of the file, and of tables that were taken out of it and left some behind.</summary>
    internal void SetDeadLetters(IEnumerable<string> tables, IReadOnlyDictionary<string, long> counts)
    {
        foreach (var table in tables.Union(deadLetters.GetAllLabelValues().Select(labels => labels[0])).Union(counts.Keys))
        {
            deadLetters.WithLabels(table).Set(counts.GetValueOrDefault(table));
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

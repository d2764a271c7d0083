using CdcMigrator.Postgres.Repair;
using Prometheus;

namespace CdcMigrator.Service.Repairing;

/// <summary>What repairs of rows did in this process. Dry runs are not counted. Thread-safe.</summary>
internal sealed class RepairMetrics
{
    private readonly Counter rows;
    private readonly Counter unrepaired;
    private readonly Counter runs;

    /// <summary>Registers the metrics.</summary>
    public RepairMetrics(IMetricFactory factory)
    {
        rows = factory.CreateCounter("cdcmigrator_repaired_rows_total", "Rows repaired, by what was done.", ["table", "action"]);
        unrepaired = factory.CreateCounter("cdcmigrator_unrepaired_rows_total", "Rows that a repair had to leave as they are, by the reason's code.", ["table", "code"]);
        runs = factory.CreateCounter("cdcmigrator_repair_runs_total", "Requests to repair rows, by how they ended: done, remaining (rows stay), failed.", ["table", "outcome"]);
    }

    /// <summary>Counts rows that were committed, or stay.</summary>
    public void Count(string table, IEnumerable<RepairOutcome> outcomes)
    {
        foreach (var outcome in outcomes)
        {
            (outcome.Fault is { } fault ? unrepaired.WithLabels(table, fault.Code) : rows.WithLabels(table, outcome.Action.ToString().ToLowerInvariant())).Inc();
        }
    }

    /// <summary>Counts a request that ended.</summary>
    public void CountRun(string table, string outcome) => runs.WithLabels(table, outcome).Inc();
}

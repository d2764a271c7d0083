using Prometheus;

namespace CdcMigrator.Service.Switching;

/// <summary>Metrics of closed sides.</summary>
internal sealed class WindowMetrics
{
    private readonly Gauge gaps;
    private readonly Gauge leaked;

    /// <summary>Registers the metrics.</summary>
    public WindowMetrics(IMetricFactory factory)
    {
        gaps = factory.CreateGauge("cdcmigrator_fence_gaps", "Holes in the fence of a side that only the migration may write to; 0 while the side is open.", ["side"]);
        leaked = factory.CreateGauge("cdcmigrator_leaked_rows", "Rows that others than the migration changed on a closed side since it was closed, as far as it is seen.", ["side"]);
    }

    public void Set(string side, int holes, long rows)
    {
        gaps.WithLabels(side).Set(holes);
        leaked.WithLabels(side).Set(rows);
    }
}

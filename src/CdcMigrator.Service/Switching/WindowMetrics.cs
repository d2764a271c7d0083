using Prometheus;

namespace CdcMigrator.Service.Switching;

/// <summary>Metrics of both sides: who takes writes, and what becomes of a closed one.</summary>
internal sealed class WindowMetrics
{
    private readonly Gauge gaps;
    private readonly Gauge leaked;
    private readonly Gauge open;
    private readonly Gauge left;

    /// <summary>Registers the metrics.</summary>
    public WindowMetrics(IMetricFactory factory)
    {
        gaps = factory.CreateGauge("cdcmigrator_fence_gaps", "Holes in the fence of a side that only the migration may write to; 0 while the side is open.", ["side"]);
        leaked = factory.CreateGauge("cdcmigrator_leaked_rows", "Rows that others than the migration changed on a closed side since it was closed, as far as it is seen.", ["side"]);
        open = factory.CreateGauge("cdcmigrator_side_open", "1 while applications may write to the side; absent before it was prepared.", ["side"]);
        left = factory.CreateGauge("cdcmigrator_window_left_seconds", "How long the way back is yet to be kept, below 0 once its time is over; absent while the side does not take writes.", ["side"]);
    }

    /// <summary>Sets who takes writes, and how long the way back to the source is yet to be kept.</summary>
    public void SetOpen(string side, bool isOpen, TimeSpan? windowLeft)
    {
        open.WithLabels(side).Set(isOpen ? 1 : 0);
        if (windowLeft is { } time)
        {
            left.WithLabels(side).Set(time.TotalSeconds);
        }
        else
        {
            left.RemoveLabelled(side);
        }
    }

    public void Set(string side, int holes, long rows)
    {
        gaps.WithLabels(side).Set(holes);
        leaked.WithLabels(side).Set(rows);
    }
}

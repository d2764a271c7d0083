namespace CdcMigrator.Cutover.Predicting;

/// <summary>What was measured of a cutover's parts, by the last rehearsal and while the migration runs. Null is not known, which is not the same as nothing.</summary>
public sealed record OutageMeasures
{
    /// <summary>Poolers' pause; null where there are none, or it was never measured (<see cref="HooksNotMeasured"/>).</summary>
    public MeasuredTime? Pause { get; init; }

    /// <summary>Locks and enabling the fence.</summary>
    public MeasuredTime? Fence { get; init; }

    /// <summary>From a marker's commit until its confirmation.</summary>
    public MeasuredTime? Confirm { get; init; }

    /// <summary>Records behind, and how fast they are applied.</summary>
    public RemainingWork? Drain { get; init; }

    /// <summary>Dirty keys, and how fast they are compared.</summary>
    public RemainingWork? Verify { get; init; }

    /// <summary>How long a key may wait until comparing begins at all; null where it does not.</summary>
    public MeasuredTime? Beat { get; init; }

    /// <summary>Reading and advancing sequences.</summary>
    public MeasuredTime? Sequences { get; init; }

    /// <summary>The seal's transaction.</summary>
    public MeasuredTime? Seal { get; init; }

    /// <summary>The opening's transaction.</summary>
    public MeasuredTime? Open { get; init; }

    /// <summary>Hooks behind the opening; null where there are none, or they were never measured.</summary>
    public MeasuredTime? Route { get; init; }

    /// <summary>Names of hooks that were never run, so that their time is in no part. What routes for the first time cannot have been measured.</summary>
    public IReadOnlyList<string> HooksNotMeasured { get; init; } = [];
}

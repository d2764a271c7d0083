namespace CdcMigrator.Service.Switching;

/// <summary>What the parts of an outage took when they were tried before the fence.</summary>
/// <param name="Drain">From a marker in the side that is left until everything before it was applied.</param>
/// <param name="Back">From a marker in the side that takes over until the log of the way back held it.</param>
internal sealed record OutageTrial(TimeSpan Drain, TimeSpan Back)
{
    /// <summary>The sum: both are waited for, one after the other.</summary>
    public TimeSpan Total => Drain + Back;

    /// <inheritdoc />
    public override string ToString() => $"drain {Drain.TotalMilliseconds:0} ms, way back {Back.TotalMilliseconds:0} ms";
}

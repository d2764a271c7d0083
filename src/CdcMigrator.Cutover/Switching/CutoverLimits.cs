namespace CdcMigrator.Cutover.Switching;

/// <summary>How long things of an attempt may take.</summary>
public sealed record CutoverLimits
{
    /// <summary>How long a side stays closed when nobody is left who would end the attempt.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How much of the lease must be left to seal.</summary>
    public TimeSpan SealMargin { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For the time before the fence.</summary>
    public TimeSpan Prepare { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>From the fence to the seal: then it is undone. Writers wait so long at most.</summary>
    public TimeSpan Closed { get; init; } = TimeSpan.FromSeconds(30);
}

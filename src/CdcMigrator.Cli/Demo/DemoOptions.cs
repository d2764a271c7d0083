namespace CdcMigrator.Cli.Demo;

/// <summary>What a demo is to do.</summary>
internal sealed record DemoOptions
{
    /// <summary>Rows loaded before anything moves.</summary>
    public long Rows { get; init; } = 20_000;

    /// <summary>Transactions a second of the shop's writers; 0 as fast as they go.</summary>
    public double Rate { get; init; } = 200;

    /// <summary>How long changes stream before the switch, from when the rows loaded before have arrived.</summary>
    public TimeSpan Streaming { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often the service is killed meanwhile.</summary>
    public int Kills { get; init; }

    /// <summary>Changes one row of the target behind everyone's back before the last comparison, to see it found.</summary>
    public bool Tamper { get; init; }

    /// <summary>Rehearse the switch instead of making it, and leave everything running.</summary>
    public bool Keep { get; init; }
}

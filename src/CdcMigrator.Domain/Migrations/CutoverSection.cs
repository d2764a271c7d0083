namespace CdcMigrator.Domain.Migrations;

/// <summary>What the migration file says of the cutover.</summary>
public sealed record CutoverSection
{
    /// <summary>Most lag at which a cutover may begin.</summary>
    public TimeSpan MaxLag { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest predicted write outage.</summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long ago the last full comparison may have begun.</summary>
    public TimeSpan VerifiedWithin { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Roles of the application, for the probe write behind the fence.</summary>
    public IReadOnlyList<string> AppRoles { get; init; } = [];

    /// <summary>How long the way back is kept open.</summary>
    public TimeSpan RollbackWindow { get; init; } = TimeSpan.FromDays(14);

    /// <summary>How long writes stay denied, before the seal, once the process that denied them falls silent.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one attempt of the fence waits for its locks; writers wait behind it so long.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long each step before the seal may take.</summary>
    public CutoverDeadlines Deadlines { get; init; } = new();

    /// <summary>Values left free between the last one of a sequence on the side that is left and the first one on the side that takes over.</summary>
    public int SequenceMargin { get; init; } = 1000;

    /// <summary>Whether a cutover must have a way back; null where the file does not say.</summary>
    public bool? RequireReverse { get; init; }

    /// <summary>What moves applications from one side to the other.</summary>
    public RouteSection Route { get; init; } = new();
}

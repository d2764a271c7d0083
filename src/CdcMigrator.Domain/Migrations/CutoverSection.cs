namespace CdcMigrator.Domain.Migrations;

/// <summary>Limits of the cutover.</summary>
public sealed record CutoverSection
{
    /// <summary>Most lag at which a cutover may begin.</summary>
    public TimeSpan MaxLag { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest predicted write outage.</summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How recent the last full verification must be.</summary>
    public TimeSpan VerifiedWithin { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Roles of the application, for the probe write behind the fence.</summary>
    public IReadOnlyList<string> AppRoles { get; init; } = [];

    /// <summary>How long the way back is kept open.</summary>
    public TimeSpan RollbackWindow { get; init; } = TimeSpan.FromDays(14);
}

namespace CdcMigrator.Domain.Migrations;

/// <summary>What moves applications from one side to the other, in both directions.</summary>
public sealed record RouteSection
{
    /// <summary>PgBouncers that hold applications back meanwhile.</summary>
    public IReadOnlyList<PgBouncerHook> PgBouncers { get; init; } = [];

    /// <summary>Run before writes are denied.</summary>
    public IReadOnlyList<RoutingHook> BeforeFence { get; init; } = [];

    /// <summary>Run once the new side takes writes.</summary>
    public IReadOnlyList<RoutingHook> AfterOpen { get; init; } = [];

    /// <summary>Run once a cutover was undone.</summary>
    public IReadOnlyList<RoutingHook> OnAbort { get; init; } = [];
}

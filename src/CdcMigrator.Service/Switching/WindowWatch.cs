using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Looks once a minute, as long as a side is closed, whether its fence has holes and whether others than the migration wrote there: what they write is carried over by nobody. Every process looks.
/// </summary>
internal sealed class WindowWatch(MigrationDefinition definition, Sides sides, WindowMetrics metrics, TimeProvider time, ILogger log)
{
    /// <summary>Each looks for itself.</summary>
    public IReadOnlyList<SideWatch> Each { get; } =
    [
        new(definition, sides.Source, sides.LeftDatabase(MigrationDirection.Forward), MigrationDirection.Back, metrics, time, log),
        new(definition, sides.Target, sides.TakingDatabase(MigrationDirection.Forward), MigrationDirection.Forward, metrics, time, log),
    ];

    /// <summary>What was found at the last look, by both sides.</summary>
    public IReadOnlyList<Finding> Findings => [.. Each.SelectMany(side => side.Findings)];

    /// <summary>Looks at both sides once, at each by itself: of one that is away what was found last stays known.</summary>
    /// <exception cref="FaultException">Unreachable: a side does not answer; the other one was looked at all the same.</exception>
    public Task TurnAsync(CancellationToken cancellationToken) => Task.WhenAll(Each.Select(side => side.TurnAsync(cancellationToken)));
}

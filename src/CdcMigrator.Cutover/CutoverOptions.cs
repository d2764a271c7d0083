using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Cutover;

/// <summary>What a cutover goes by, resolved: every default is filled in, those that depend on the source too.</summary>
public sealed record CutoverOptions
{
    /// <summary>How much of the lease must be left at the seal, so that nobody can have lifted the fence meanwhile.</summary>
    public static TimeSpan SealMargin { get; } = TimeSpan.FromSeconds(2);

    /// <summary>How much sooner than the lease a fence is over: others look once a second, and lift it in the rest, so that writes are allowed again within the lease.</summary>
    public static TimeSpan LiftMargin { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Shortest lease: several renewals and the seal's margin fit into it.</summary>
    public static TimeSpan ShortestLease { get; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The longest wait for the fence's locks that goes with a lease: the fence's term begins before they are waited for, up to twice as long (tables, then partitions that came since), and what is left of it has to hold a
    /// renewal and the seal's margin. In whole milliseconds.
    /// </summary>
    public static TimeSpan LongestLockTimeout(TimeSpan lease) => TimeSpan.FromMilliseconds(Math.Floor((Kept(lease) - Renewal(lease) - SealMargin).TotalMilliseconds / 2));

    /// <summary>Name of the migration.</summary>
    public required string Migration { get; init; }

    /// <summary>Longest predicted write outage.</summary>
    public required TimeSpan Budget { get; init; }

    /// <summary>Within how long writes are allowed again after the last renewal of the fence; at least <see cref="ShortestLease"/>.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>How long one attempt of the fence waits for its locks.</summary>
    public required TimeSpan LockTimeout { get; init; }

    /// <summary>How long each step before the seal may take.</summary>
    public required CutoverDeadlines Deadlines { get; init; }

    /// <summary>Values left free of each sequence, in increments.</summary>
    public required int SequenceMargin { get; init; }

    /// <summary>Roles of the application, for the probe write behind the fence.</summary>
    public required IReadOnlyList<string> AppRoles { get; init; }

    /// <summary>Whether a cutover without a way back is refused.</summary>
    public required bool RequireReverse { get; init; }

    /// <summary>How long the way back is kept open.</summary>
    public required TimeSpan RollbackWindow { get; init; }

    /// <summary>What moves applications.</summary>
    public required RouteSection Route { get; init; }

    /// <summary>What an attempt wants of the way that leads back from where it goes. Whoever goes back asks for none, or gets one: the file does not speak of that.</summary>
    /// <param name="direction">Which way it goes.</param>
    /// <param name="none">Whether it was asked for without one.</param>
    public ReturnWay ReturnOf(MigrationDirection direction, bool none) =>
        none ? ReturnWay.None : direction == MigrationDirection.Forward && !RequireReverse ? ReturnWay.IfItWorks : ReturnWay.Required;

    /// <summary>For how long each renewal keeps the fence closed.</summary>
    public TimeSpan KeptFor => Kept(Lease);

    /// <summary>How often the fence is renewed: two renewals may fail.</summary>
    public TimeSpan RenewEvery => Renewal(Lease);

    private static TimeSpan Kept(TimeSpan lease) => lease - LiftMargin;

    private static TimeSpan Renewal(TimeSpan lease) => Kept(lease) / 3;

    /// <summary>The options of a migration file.</summary>
    public static CutoverOptions Of(MigrationDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var section = definition.Cutover;
        return new CutoverOptions
        {
            Migration = definition.Name,
            Budget = section.Budget,
            Lease = section.Lease,
            LockTimeout = section.LockTimeout,
            Deadlines = section.Deadlines,
            SequenceMargin = section.SequenceMargin,
            AppRoles = section.AppRoles,
            RequireReverse = section.RequireReverse ?? definition.Source.Kind == SourceKind.PostgreSql,
            RollbackWindow = section.RollbackWindow,
            Route = section.Route,
        };
    }
}

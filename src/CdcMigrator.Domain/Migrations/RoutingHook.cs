namespace CdcMigrator.Domain.Migrations;

/// <summary>Something outside of the databases that is told of a cutover. It may be told the same more than once.</summary>
/// <param name="Name">Name in journal and faults.</param>
/// <param name="Timeout">How long it may take.</param>
public abstract record RoutingHook(string Name, TimeSpan Timeout)
{
    /// <summary>How long a hook may take where the file does not say.</summary>
    public static TimeSpan DefaultTimeout { get; } = TimeSpan.FromSeconds(10);

    /// <summary>What must be shown nowhere.</summary>
    public abstract IReadOnlyList<string> Secrets { get; }
}

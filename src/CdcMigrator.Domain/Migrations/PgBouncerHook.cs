namespace CdcMigrator.Domain.Migrations;

/// <summary>A PgBouncer whose databases are paused before the fence, reloaded and resumed on the new side, and resumed if the cutover is undone.</summary>
/// <param name="Name">Name in journal and faults.</param>
/// <param name="Connection">Npgsql connection string of its admin console.</param>
/// <param name="Databases">Databases as PgBouncer calls them.</param>
/// <param name="Timeout">How long each of its moments may take.</param>
public sealed record PgBouncerHook(string Name, HookText Connection, IReadOnlyList<string> Databases, TimeSpan Timeout) : RoutingHook(Name, Timeout)
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Secrets => Connection.Secrets;
}

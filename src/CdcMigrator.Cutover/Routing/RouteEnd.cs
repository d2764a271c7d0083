namespace CdcMigrator.Cutover.Routing;

/// <summary>Where applications find a side, without user and password.</summary>
/// <param name="Host">Host as the migration file has it.</param>
/// <param name="Port">Port.</param>
/// <param name="Database">Database.</param>
public sealed record RouteEnd(string Host, int Port, string Database)
{
    /// <summary>For people: <c>10.0.0.6:5432/shop</c>.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Host}:{Port}/{Database}");
}

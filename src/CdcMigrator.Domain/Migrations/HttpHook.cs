namespace CdcMigrator.Domain.Migrations;

/// <summary>An HTTP request. Redirects are not followed.</summary>
/// <param name="Name">Name in journal and faults.</param>
/// <param name="Url">Address.</param>
/// <param name="Method">Method, in capitals.</param>
/// <param name="Headers">Header fields.</param>
/// <param name="Body">Body; null for the facts of the cutover as JSON.</param>
/// <param name="Statuses">Status codes that are success; none for every 2xx.</param>
/// <param name="Timeout">How long the answer may take.</param>
public sealed record HttpHook(
    string Name, HookText Url, string Method, IReadOnlyDictionary<string, HookText> Headers, HookText? Body, IReadOnlyList<int> Statuses, TimeSpan Timeout) : RoutingHook(Name, Timeout)
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Secrets => [.. Headers.Values.Append(Url).Concat(Body is { } body ? [body] : []).SelectMany(text => text.Secrets)];
}

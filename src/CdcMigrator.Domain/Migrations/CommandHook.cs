namespace CdcMigrator.Domain.Migrations;

/// <summary>A program that is run without a shell. Exit code 0 is success.</summary>
/// <param name="Name">Name in journal and faults.</param>
/// <param name="Arguments">The program and its arguments.</param>
/// <param name="Environment">Variables beside the service's own.</param>
/// <param name="Timeout">After it the program and all it has started are killed.</param>
public sealed record CommandHook(string Name, IReadOnlyList<HookText> Arguments, IReadOnlyDictionary<string, HookText> Environment, TimeSpan Timeout) : RoutingHook(Name, Timeout)
{
    /// <inheritdoc />
    public override IReadOnlyList<string> Secrets => [.. Arguments.Concat(Environment.Values).SelectMany(text => text.Secrets)];
}

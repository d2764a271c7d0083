namespace CdcMigrator.Service.Api;

/// <summary>What was expected.</summary>
/// <param name="Type">Name of the expectation.</param>
/// <param name="Kwargs">Of what.</param>
/// <param name="Severity"><c>critical</c>, <c>warning</c> or <c>info</c>.</param>
public sealed record GreatExpectationsConfiguration(string Type, IReadOnlyDictionary<string, object?> Kwargs, string Severity)
{
    /// <summary>None.</summary>
    public IReadOnlyDictionary<string, object?> Meta { get; init; } = new Dictionary<string, object?>();
}

namespace CdcMigrator.Service.Api;

/// <summary>One expectation and what was found.</summary>
/// <param name="Success">It was met.</param>
/// <param name="ExpectationConfig">What was expected.</param>
/// <param name="Result">What was found.</param>
/// <param name="ExceptionInfo">Why it could not be found out.</param>
public sealed record GreatExpectationsResult(
    bool Success, GreatExpectationsConfiguration ExpectationConfig, IReadOnlyDictionary<string, object?> Result, GreatExpectationsException ExceptionInfo)
{
    /// <summary>None.</summary>
    public IReadOnlyDictionary<string, object?> Meta { get; init; } = new Dictionary<string, object?>();
}

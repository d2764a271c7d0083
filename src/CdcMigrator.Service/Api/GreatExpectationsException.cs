namespace CdcMigrator.Service.Api;

/// <summary>Why an expectation could not be looked at.</summary>
/// <param name="RaisedException">It could not.</param>
/// <param name="ExceptionTraceback">Never: faults are told without one.</param>
/// <param name="ExceptionMessage">The fault.</param>
public sealed record GreatExpectationsException(bool RaisedException, string? ExceptionTraceback, string? ExceptionMessage)
{
    internal static GreatExpectationsException Of(string? fault) => new(fault is not null, null, fault);
}

using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cutover.Routing;

/// <summary>How a hook ended, as its runner saw it.</summary>
/// <param name="Code">Null where it did what it should; else the fault's code: <c>hook-failed</c>, <c>hook-timeout</c>, <c>hook-not-started</c>, <c>hook-unreachable</c>.</param>
/// <param name="Result">How it ended, in words.</param>
/// <param name="Output">The end of what it printed or answered, without secrets.</param>
public sealed record HookRun(string? Code, string Result, string Output)
{
    /// <summary>Who can act on a failure.</summary>
    public FaultKind Kind => Code == "hook-not-started" ? FaultKind.Configuration : FaultKind.Unreachable;
}

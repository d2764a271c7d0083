using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cutover.Routing;

/// <summary>What one run of a hook came to; for the journal. Holds no secrets.</summary>
/// <param name="Moment">When.</param>
/// <param name="Hook">The hook's name.</param>
/// <param name="Result">How it ended: <c>exit code 1</c>, <c>HTTP 200</c>, <c>no answer within 10 s</c>.</param>
/// <param name="Output">The end of what it printed or answered.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Fault">What went wrong and what to do; null where nothing did.</param>
public sealed record HookOutcome(HookMoment Moment, string Hook, string Result, string Output, TimeSpan Elapsed, Fault? Fault)
{
    /// <summary>Whether it did what it should.</summary>
    public bool Succeeded => Fault is null;
}

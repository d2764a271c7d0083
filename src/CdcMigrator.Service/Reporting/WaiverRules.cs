using System.Security.Cryptography;
using System.Text;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Waivers;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Reporting;

/// <summary>
/// Which criteria a person may waive, and when a waiver counts. Pure. Only what is said beside the rows can be waived: how fast reads are, what people's own rules and tools say, which constraints the
/// equal rows break. That both sides are equal, that all of it is known, and that what takes over works, is said by the other criteria, which nobody can waive: a gate that is open proves it, waivers or not.
/// </summary>
internal static class WaiverRules
{
    /// <summary>Criteria that may be waived, with what a waiver accepts.</summary>
    public static IReadOnlyDictionary<string, string> Waivable { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["reads"] = "the application's queries are slower on the target, or were not timed there",
        ["rules"] = "a business rule says something else of the same rows on both sides",
        ["constraints"] = "rows that are equal on both sides break a constraint of the target",
        ["schemaHistory"] = "a schema tool's history is another one on the target",
    };

    /// <summary>What a waiver is tied to: the same text for the same finding, another one for any other. Order does not matter.</summary>
    public static string Finding(IEnumerable<string> found) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', found.Order(StringComparer.Ordinal)))))[..16];

    /// <summary>The criterion with its waiver, if one counts: it does not pass, what is found is what was waived, and the time is not over.</summary>
    public static GateCriterion Apply(GateCriterion criterion, IReadOnlyList<Waiver>? waivers, DateTimeOffset at) =>
        (waivers ?? []).FirstOrDefault(waiver => Counts(waiver, criterion, at)) is { } waiver ? criterion with { Waiver = WaiverReport.Of(waiver, WaiverState.InForce) } : criterion;

    /// <summary>How a waiver stands, by what the gate finds now.</summary>
    public static WaiverState StateOf(Waiver waiver, GateReport gate, DateTimeOffset at) => gate.Criteria.FirstOrDefault(criterion => criterion.Name == waiver.Criterion) switch
    {
        _ when waiver.IsOver(at) => WaiverState.Expired,
        null or { State: "PASS" } => WaiverState.NotNeeded,
        { } criterion => Counts(waiver, criterion, at) ? WaiverState.InForce : WaiverState.FoundOtherwise,
    };

    /// <summary>The criterion that is to be waived.</summary>
    /// <exception cref="FaultException">Configuration <c>unknown-criterion</c>. NotAllowed: it may never be waived, passes, or nothing was found that could be waived.</exception>
    public static GateCriterion Require(GateReport gate, string name)
    {
        var criterion = gate.Criteria.FirstOrDefault(known => known.Name == name);
        if (criterion is null && !Waivable.ContainsKey(name))
        {
            throw new FaultException(FaultKind.Configuration, "unknown-criterion", $"'{name}' is no criterion of the gate", $"Those that may be waived: {string.Join(", ", Waivable.Keys)}");
        }

        return !Waivable.ContainsKey(name) ? throw new FaultException(
                FaultKind.NotAllowed, "never-waived", $"{name} cannot be waived: without it nobody knows that nothing is lost", criterion is { Fix.Length: > 0 } ? criterion.Fix : $"Those that may be waived: {string.Join(", ", Waivable.Keys)}")
            : criterion is null or { State: "PASS" } ? throw new FaultException(
                FaultKind.NotAllowed, "nothing-to-waive", $"{name} {(criterion is null ? "is not asked of this migration" : "passes")}: there is nothing to waive", "'cdcm cutover check' shows what does not pass")
            : criterion.Finding is null ? throw new FaultException(
                FaultKind.NotAllowed, "nothing-found", $"{name} is {criterion.Measured}: only what was found can be waived, and not a difference of the rows", criterion.Fix)
            : criterion;
    }

    private static bool Counts(Waiver waiver, GateCriterion criterion, DateTimeOffset at) =>
        waiver.Criterion == criterion.Name && Waivable.ContainsKey(criterion.Name) && criterion is { State: not "PASS", Finding: { } finding } && waiver.Finding == finding && !waiver.IsOver(at);
}

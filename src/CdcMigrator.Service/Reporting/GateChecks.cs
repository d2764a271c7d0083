using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Service.Reporting;

/// <summary>
/// The gate's criteria that come from the checks beside the rows. Pure. A kind passes if it was checked recently enough, as a whole, and nothing of it fails with the
/// weight of an error. What the migration file asks otherwise than it did then, or did not ask, is not known until it is asked. What is undecided because changes are on
/// their way passes if it was found as it must be recently enough, and not otherwise since; samples never pass anything, but a wrong row in one counts.
/// </summary>
internal static class GateChecks
{
    private const int MostNamed = 3;
    private const string Start = "'cdcm verify start' has it checked at once";

    private static readonly (CheckKind Kind, string Name, string Allowed)[] Criteria =
    [
        (CheckKind.Counts, "counts", "equal but for what is on its way"),
        (CheckKind.Rules, "rules", "all within their tolerance"),
        (CheckKind.Constraints, "constraints", "no row breaks one"),
        (CheckKind.Schema, "schema", "no error"),
        (CheckKind.SchemaHistory, "schemaHistory", "the same versions"),
        (CheckKind.Sequences, "sequences", "can take over"),
    ];

    public static IEnumerable<GateCriterion> Of(CutoverSection limits, IReadOnlyList<CheckReport>? reports, DateTimeOffset at) =>
        Criteria.Select(criterion => Of(criterion.Kind, criterion.Name, criterion.Allowed, limits, reports?.FirstOrDefault(report => report.Kind == criterion.Kind), at));

    /// <summary>Tables in which a sample met wrong rows.</summary>
    public static IReadOnlyList<string> WrongSamples(IReadOnlyList<CheckReport>? reports) =>
        [.. (reports ?? []).Where(report => report is { Kind: CheckKind.Samples, Fault: null }).SelectMany(report => report.Answers).Where(result => result.Blocks).Select(result => result.Name)];

    private static GateCriterion Of(CheckKind kind, string name, string allowed, CutoverSection limits, CheckReport? report, DateTimeOffset at)
    {
        var show = $"'cdcm verify checks {JsonName(kind)}' shows what was found and what to do";
        if (report is null)
        {
            return new GateCriterion(name, "UNKNOWN", "never checked", allowed, Start);
        }

        if (report.Fault is { } fault)
        {
            return new GateCriterion(name, "FAIL", $"could not be checked: {fault}", allowed, show);
        }

        var blocking = report.Answers.Where(result => result.Blocks).ToList();
        if (blocking.Count > 0)
        {
            return new GateCriterion(name, "FAIL", Named([.. blocking.Select(result => result.Name)]), allowed, show)
            {
                Finding = Finding(report, blocking.Concat(Undecided(report, limits, at)), result => $"{result.State}: {result.Message}, {result.Difference}"),
            };
        }

        if (report.Changed.Count > 0)
        {
            return new GateCriterion(name, "UNKNOWN", $"not asked since it changed: {Named(report.Changed)}", allowed, Start);
        }

        if (at - report.At > limits.VerifiedWithin || report.More > 0)
        {
            return new GateCriterion(name, "UNKNOWN", report.More > 0 ? $"{report.More} results are not kept" : $"checked {report.At:u}, longer ago than {Durations.Format(limits.VerifiedWithin)}", allowed, Start);
        }

        var undecided = Undecided(report, limits, at);
        return undecided.Count == 0 ? new GateCriterion(name, "PASS", Measured(report), allowed)
            : new GateCriterion(name, "UNKNOWN", $"on its way each time: {string.Join(", ", undecided.Take(MostNamed).Select(result => result.Name))}", allowed, show)
            {
                Finding = Finding(report, undecided, static result => result.State.ToString()),
            };
    }

    private static List<CheckResult> Undecided(CheckReport report, CutoverSection limits, DateTimeOffset at) =>
        [.. report.Results.Where(result => result.State == CheckState.InFlight && !(at - result.PassedAt <= limits.VerifiedWithin))];

    /// <summary>What a waiver is tied to, of everything that was asked; null where it may not be waived, or not all of it is known.</summary>
    private static string? Finding(CheckReport report, IEnumerable<CheckResult> found, Func<CheckResult, string> what) =>
        report.Changed.Count > 0 || report.More > 0 || !WaiverRules.Waivable.ContainsKey(CriterionOf(report.Kind)) ? null
            : WaiverRules.Finding(found.Select(result => $"{result.Name}, {report.Asked.GetValueOrDefault(result.Table ?? result.Name)}, {what(result)}"));

    private static string CriterionOf(CheckKind kind) => Criteria.First(criterion => criterion.Kind == kind).Name;

    private static string Named(IReadOnlyList<string> names) => string.Join(", ", names.Take(MostNamed)) + (names.Count > MostNamed ? $" and {names.Count - MostNamed} more" : "");

    private static string Measured(CheckReport report)
    {
        var warnings = report.Results.Count(result => result.State == CheckState.Fail);
        var moving = report.Results.Count(result => result.State == CheckState.InFlight);
        return $"{report.Results.Count} checked{(warnings > 0 ? $", {warnings} warnings" : "")}{(moving > 0 ? $", {moving} on their way" : "")}";
    }

    internal static string JsonName(CheckKind kind) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());
}

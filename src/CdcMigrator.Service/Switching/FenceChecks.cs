using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Switching;

/// <summary>Whether the side that is left can be closed so that nobody writes there any more: asked before, and by the applications' own roles behind the close.</summary>
internal static class FenceChecks
{
    /// <summary>Refuses what the fence would wait for, or could not deny, on the side that is left; and what would keep the other one from being left again. Changes nothing.</summary>
    /// <exception cref="FaultException">NotAllowed <c>not-fenceable</c>, with everything found.</exception>
    public static Task RefuseAsync(Sides sides, MigrationDefinition definition, CancellationToken cancellationToken) => Sides.AskAsync(async () =>
    {
        var (left, taking) = definition.Direction == MigrationDirection.Forward ? ("source", "target") : ("target", "source");
        var side = sides.Left(definition.Direction);
        var findings = (await side.CheckAsync(left, cancellationToken)).ToList();

        // What is applied to the other side is a transaction too, and ends behind the fence. Whatever else holds its tables would keep the opening from being held there, while both sides deny writes.
        findings.AddRange((await sides.Taking(definition.Direction).CheckAsync(taking, cancellationToken)).Where(finding => !(FenceReadiness.IsPassing(finding) && finding.Message.Contains("(cdcm", StringComparison.Ordinal))));
        foreach (var role in definition.Cutover.AppRoles)
        {
            if (await side.Fence.ProbeAsync(role, cancellationToken) is { Outcome: ProbeOutcome.Unknown } probe)
            {
                findings.Add(new Finding(Severity.Error, "fence-probe", $"Whether the fence stops the application cannot be tried in the {left}: {probe.Message}", probe.Fix));
            }
        }

        var errors = findings.Where(finding => finding.Severity == Severity.Error).ToList();
        return errors.Count == 0 ? true : throw new FaultException(
            FaultKind.NotAllowed, "not-fenceable", $"Writes could not be denied at once, or not all of them; {string.Join("; ", errors.Select(finding => $"{finding.Message} ({finding.Code})"))}",
            string.Join("; ", errors.Select(finding => finding.Fix).Distinct(StringComparer.Ordinal)));
    });

    /// <summary>Refuses where a column that a sequence numbers would be numbered by nothing on the side that takes over, or one could not be moved on.</summary>
    /// <returns>Warnings: sequences that only the side that is left has.</returns>
    /// <exception cref="FaultException">NotAllowed <c>sequences</c>, with everything found.</exception>
    public static async Task<IReadOnlyList<Finding>> RefuseSequencesAsync(Sides sides, MigrationDirection direction, CancellationToken cancellationToken)
    {
        var findings = await sides.CheckSequencesAsync(direction, cancellationToken);
        var errors = findings.Where(finding => finding.Severity == Severity.Error).ToList();
        return errors.Count == 0 ? findings : throw new FaultException(
            FaultKind.NotAllowed, "sequences", string.Join("; ", errors.Select(finding => $"{finding.Message} ({finding.Code})")), string.Join("; ", errors.Select(finding => finding.Fix).Distinct(StringComparer.Ordinal)));
    }

    /// <summary>Behind the close: a write of each role must be refused.</summary>
    /// <exception cref="FaultException">NotAllowed <c>fence-open</c>: one went through, or nothing is known of it. Unreachable: the side gave no session to ask with.</exception>
    public static async Task ProveDeniedAsync(FencedSide left, IReadOnlyList<string> roles, CancellationToken cancellationToken)
    {
        foreach (var role in roles)
        {
            if (await Sides.AskAsync(() => left.Fence.ProbeAsync(role, cancellationToken)) is { Outcome: not ProbeOutcome.Denied } probe)
            {
                throw new FaultException(FaultKind.NotAllowed, "fence-open", $"The fence is closed, and yet is not known to stop the application: {probe.Message}", probe.Fix.Length > 0 ? probe.Fix : "Find out who altered its triggers, then try again");
            }
        }
    }
}

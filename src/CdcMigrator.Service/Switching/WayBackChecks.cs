using CdcMigrator.Connect;
using CdcMigrator.Cutover;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Postgres.Preflight;
using CdcMigrator.Service.Preflight;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Whether the way back would work with both databases as they are: asked when the sides are prepared, and again before the source is left, since nothing that is found behind that helps any more. The checks are
/// preflight's own, of the definition turned round. An attempt to go back asks none of it: nobody is kept from going back by what would be wrong with a further cutover.
/// </summary>
internal static class WayBackChecks
{
    /// <summary>When the sides are prepared, before anything is changed. Looks at values too.</summary>
    /// <exception cref="FaultException">NotAllowed <c>way-back</c>, with everything found, by name. Unreachable: a side did not answer.</exception>
    public static async Task RefuseBeforePreparingAsync(MigrationDefinition definition, Sides sides, CancellationToken cancellationToken)
    {
        if (CutoverOptions.Of(definition).RequireReverse)
        {
            Refuse([.. await MigrationPreflight.CheckWayBackAsync(definition, looksAtValues: true, cancellationToken), .. await sides.CheckSequencesAsync(MigrationDirection.Back, cancellationToken)]);
        }
    }

    /// <summary>Before the source is left: what the connector of the way back publishes too.</summary>
    /// <exception cref="FaultException">NotAllowed <c>way-back</c>, with everything found, by name. Unreachable: a side did not answer.</exception>
    public static async Task RefuseBeforeLeavingAsync(MigrationDefinition definition, Sides sides, CancellationToken cancellationToken)
    {
        if (!CutoverOptions.Of(definition).RequireReverse)
        {
            return;
        }

        var back = definition.TurnedRound();
        Refuse(
        [
            .. await MigrationPreflight.CheckWayBackAsync(definition, looksAtValues: false, cancellationToken),
            .. await sides.CheckSequencesAsync(MigrationDirection.Back, cancellationToken),
            .. await Sides.AskAsync(() => PublicationChecks.CheckAsync(
                sides.TakingDatabase(MigrationDirection.Forward), "target", ConnectorNames.Publication(back.LogName), [.. back.Tables.Select(table => table.Source)], cancellationToken)),
        ]);
    }

    private static void Refuse(IReadOnlyList<Finding> findings)
    {
        var errors = findings.Where(finding => finding.Severity == Severity.Error).ToList();
        if (errors.Count > 0)
        {
            throw new FaultException(
                errors.All(finding => finding.Unreachable) ? FaultKind.Unreachable : FaultKind.NotAllowed, "way-back",
                $"The way back would not work: {string.Join("; ", errors.Select(finding => $"{finding.Message} ({finding.Code}{(finding.Table is { } table ? $", {table}" : "")})"))}",
                $"{string.Join("; ", errors.Select(finding => finding.Fix).Where(fix => fix.Length > 0).Distinct(StringComparer.Ordinal))}; or go without a way back: 'requireReverse: false' under 'cutover:'");
        }
    }
}

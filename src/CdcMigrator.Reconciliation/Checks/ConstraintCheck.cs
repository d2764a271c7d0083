using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>
/// Checks the target's constraints that are not enforced while changes are applied. While both sides are written a child may be there before its parent: a row that
/// breaks a constraint is looked at again in a pair of snapshots, and it breaks it for good exactly if neither a change of itself nor one of the row it refers to lies
/// in one of them only. For then both rows are as in the source's snapshot, where the constraint holds; what breaks it there too breaks it in the source.
/// </summary>
public sealed class ConstraintCheck(ITargetConstraints constraints, IComparedSides sides, IChangeReader reader, IReadOnlyList<CheckedTable> tables, TimeProvider time)
{
    private readonly IReadOnlyList<ComparedTable> compared = [.. tables.Select(table => table.Table)];

    /// <summary>Checks all constraints of the tables.</summary>
    /// <exception cref="FaultException">A side does not answer, or the log cannot be followed.</exception>
    public async Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancellationToken)
    {
        var results = new List<CheckResult>();
        foreach (var found in await constraints.ScanAsync(compared, cancellationToken).ConfigureAwait(false))
        {
            results.Add(found.Fault is { } fault
                ? new CheckResult(NameOf(found), CheckState.Error, fault) { Table = found.Table.ToString(), Fix = "Grant the role what the constraint's check reads, or drop the constraint" }
                : found.Violations.Count == 0 ? Holds(found) : await LookAgainAsync(found, cancellationToken).ConfigureAwait(false));
        }

        return results;
    }

    private async Task<CheckResult> LookAgainAsync(ConstraintFact found, CancellationToken cancellationToken)
    {
        await using var pair = await CheckedPair.OpenAsync(sides, reader, tables, cancellationToken).ConfigureAwait(false);
        var now = await constraints.LookAgainAsync(found, compared, pair.Target, cancellationToken).ConfigureAwait(false);
        var undecided = new CheckResult(NameOf(found), CheckState.InFlight, "rows break it while changes are on their way") { Table = found.Table.ToString(), Evidence = pair.ToString(), Fix = "It is looked at again by itself" };
        if (now.Violations.Count == 0)
        {
            // Those that did have arrived. Where more did than were told, the others were not looked at.
            return found.HasMore ? undecided : Holds(found);
        }

        await pair.PassAsync(cancellationToken).ConfigureAwait(false);
        if (await pair.HasParkedAsync(found.Table, cancellationToken).ConfigureAwait(false)
            || (found.Parent is { } parent && await pair.HasParkedAsync(parent, cancellationToken).ConfigureAwait(false)))
        {
            return undecided with { Message = "rows break it, and dead letters may be why", Fix = "'cdcm dlq list' names them" };
        }

        // Of values that may not be there twice either row may be the one that is to go.
        var isPaired = found.Kind is ConstraintKind.Unique or ConstraintKind.Exclusion;
        var wrong = now.Violations.Where(violation => !IsExplained(pair, now, violation)).ToList();
        if (wrong.Count == 0 || (isPaired && wrong.Count < now.Violations.Count))
        {
            return undecided;
        }

        var keys = wrong.Where(violation => violation.Key is not null).Take(5).Select(violation => violation.Key!.ToString()).ToList();
        return new CheckResult(NameOf(found), CheckState.Fail, $"{wrong.Count}{(now.HasMore ? " and more" : "")} rows break it{(keys.Count == 0 ? "" : $": {string.Join("; ", keys)}")}")
        {
            Table = found.Table.ToString(),
            Evidence = pair.ToString(),
            Fix = "'cdcm verify start --wait' tells whether the rows differ from the source's; if none does, the source has them too: mend them there, or drop the constraint",
        };
    }

    private static bool IsExplained(CheckedPair pair, ConstraintFact constraint, Violation violation)
    {
        if (violation.Key is { } key ? pair.Explains(constraint.Table, key) : pair.ExplainsAny(constraint.Table))
        {
            return true;
        }

        return constraint.Parent is { } parent && (violation.Parent is { } row ? pair.Explains(parent, row) : pair.ExplainsAny(parent));
    }

    private CheckResult Holds(ConstraintFact found) => new(NameOf(found), CheckState.Pass, found.IsValidated ? "holds" : "holds, though it is NOT VALID")
    {
        Table = found.Table.ToString(),
        Severity = Severity.Info,
        PassedAt = time.GetUtcNow(),
        Fix = found.IsValidated ? "" : "ALTER TABLE … VALIDATE CONSTRAINT on the target",
    };

    private static string NameOf(ConstraintFact found) => $"{found.Table} {found.Name}";
}

using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>
/// Checks business rules: each pair of queries in a snapshot of its side. Where the values differ by more than the tolerance while any change of any table of the
/// migration lies in one of the snapshots only, that may be why, and nothing is decided; else the rule is broken.
/// </summary>
public sealed class RuleCheck(IComparedSides sides, IChangeReader reader, IReadOnlyList<CheckedTable> tables, TimeSpan timeout, TimeProvider time)
{
    private const int MostRows = 10_000;

    /// <summary>Checks one rule. A query that fails is an error that names rule and side.</summary>
    /// <exception cref="FaultException">A side does not answer, or the log cannot be followed.</exception>
    public async Task<CheckResult> CheckAsync(BusinessRule rule, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rule);
        await using var pair = await CheckedPair.OpenAsync(sides, reader, tables, cancellationToken).ConfigureAwait(false);
        var source = AskAsync(pair.Source, rule.Source, cancellationToken);
        var target = AskAsync(pair.Target, rule.Target, cancellationToken);
        await Task.WhenAll(source, target).ConfigureAwait(false);
        var (here, there) = (await source.ConfigureAwait(false), await target.ConfigureAwait(false));
        if ((here.Fault ?? there.Fault) is { } fault)
        {
            var side = here.Fault is null ? "target" : "source";
            return new CheckResult(rule.Name, CheckState.Error, $"rule {rule.Name}, {side}: {fault.Message}") { Fix = fault.Fix };
        }

        var compared = RuleComparison.Of(here.Rows, there.Rows, rule.Tolerance);
        var result = new CheckResult(rule.Name, CheckState.Pass, compared.Difference is null ? "equal" : "within the tolerance")
        {
            Source = compared.Source,
            Target = compared.Target,
            Difference = compared.Difference,
            Allowed = rule.Tolerance.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Evidence = pair.ToString(),
            PassedAt = time.GetUtcNow(),
        };
        if (here.Rows.Count > MostRows || there.Rows.Count > MostRows)
        {
            return result with { State = CheckState.Error, PassedAt = null, Message = $"rule {rule.Name} gives more than {MostRows} rows", Fix = "Have the queries aggregate" };
        }

        if (compared.IsEqual)
        {
            return result;
        }

        await pair.PassAsync(cancellationToken).ConfigureAwait(false);
        var explained = pair.ExplainsAny();
        foreach (var table in tables)
        {
            explained = explained || await pair.HasParkedAsync(table.Table.Source, cancellationToken).ConfigureAwait(false);
        }

        return result with
        {
            State = explained ? CheckState.InFlight : CheckState.Fail,
            PassedAt = null,
            Message = explained ? "differs while changes are on their way" : "differs, and nothing is on its way",
            Fix = explained ? "It is asked again by itself; a rule over rows that change all the time needs a tolerance for what is on its way"
                : "Look for rows that differ: 'cdcm verify show'. If none does, the rule's queries do not mean the same",
        };
    }

    private async Task<(IReadOnlyList<IReadOnlyList<string?>> Rows, Fault? Fault)> AskAsync(ISideSnapshot side, string sql, CancellationToken cancellationToken)
    {
        try
        {
            return (await side.QueryAsync(sql, MostRows, timeout, cancellationToken).ConfigureAwait(false), null);
        }
        catch (FaultException exception) when (exception.Fault.Code is "rule-refused" or "rule-timeout")
        {
            return ([], exception.Fault);
        }
    }
}

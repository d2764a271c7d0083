using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using Prometheus;

namespace CdcMigrator.Service.Runtime;

/// <summary>What is known of both sides' equality, and the gate, as metrics. It stands in the target, so that every process exports the same.</summary>
internal sealed class VerificationMetrics
{
    private readonly Gauge verdict;
    private readonly Gauge running;
    private readonly Gauge rowsCompared;
    private readonly Gauge rowsEstimated;
    private readonly Gauge dirtyKeys;
    private readonly Gauge inFlight;
    private readonly Gauge mismatched;
    private readonly Gauge lastSuccess;
    private readonly Gauge behind;
    private readonly Gauge lastSeen;
    private readonly Gauge failing;
    private readonly Gauge checkResults;
    private readonly Gauge checkAge;
    private readonly Gauge gateOpen;
    private readonly Gauge criterionPass;
    private readonly Gauge criterionWaived;

    public VerificationMetrics(IMetricFactory factory)
    {
        verdict = factory.CreateGauge("cdcmigrator_reconcile_verdict", "1 for what is known of the table's equality, 0 for the other verdicts.", ["table", "verdict"]);
        running = factory.CreateGauge("cdcmigrator_reconcile_running", "1 while a full pass over the table is under way.", ["table"]);
        rowsCompared = factory.CreateGauge("cdcmigrator_reconcile_rows_compared", "Rows of the source that the pass under way, or the last one, compared.", ["table"]);
        rowsEstimated = factory.CreateGauge("cdcmigrator_reconcile_rows_estimated", "Rows of the table when that pass began, as the source's statistics have them.", ["table"]);
        dirtyKeys = factory.CreateGauge("cdcmigrator_reconcile_dirty_keys", "Keys that changed since they were last verified.", ["table"]);
        inFlight = factory.CreateGauge("cdcmigrator_reconcile_in_flight_rows", "Rows of a pass that were on their way each time they were compared.", ["table"]);
        mismatched = factory.CreateGauge("cdcmigrator_reconcile_mismatched_rows", "Rows that are wrong.", ["table", "kind"]);
        lastSuccess = factory.CreateGauge("cdcmigrator_reconcile_last_success_timestamp_seconds", "When the last full pass ended that covered the table; absent before the first.", ["table"]);
        behind = factory.CreateGauge("cdcmigrator_reconcile_behind_records", "Records the reconciler has yet to read; -1 where it does not know.");
        lastSeen = factory.CreateGauge("cdcmigrator_reconcile_last_seen_seconds", "Age of the reconciler's last sign of life; -1 before the first.");
        failing = factory.CreateGauge("cdcmigrator_reconcile_failing", "1 while the reconciler says that something keeps it from comparing.");
        checkResults = factory.CreateGauge("cdcmigrator_check_results", "Things a check beside the rows looked at, by what it found: pass, inflight, warning, fail, error.", ["check", "state"]);
        checkAge = factory.CreateGauge("cdcmigrator_check_age_seconds", "Age of what a check found last; absent before the first.", ["check"]);
        gateOpen = factory.CreateGauge("cdcmigrator_gate_open", "1 while every criterion of the gate passes, or was waived.");
        criterionPass = factory.CreateGauge("cdcmigrator_gate_criterion_pass", "1 while the criterion passes, 0 where it fails or is not known.", ["criterion"]);
        criterionWaived = factory.CreateGauge("cdcmigrator_gate_criterion_waived", "1 while the criterion does not pass and a person's waiver of what was found counts.", ["criterion"]);
        behind.Set(-1);
        lastSeen.Set(-1);
    }

    /// <summary>Sets what the target says; nothing where it does not answer, but for the gate, which then is closed.</summary>
    /// <param name="tables">Source tables of the migration file.</param>
    /// <param name="now">The migration now.</param>
    /// <param name="gate">Its gate.</param>
    /// <param name="at">The time.</param>
    public void Set(IEnumerable<TableName> tables, RuntimeStatus now, GateReport gate, DateTimeOffset at)
    {
        gateOpen.Set(gate.Open ? 1 : 0);
        foreach (var criterion in gate.Criteria)
        {
            criterionPass.WithLabels(criterion.Name).Set(criterion.State == "PASS" ? 1 : 0);
            if (WaiverRules.Waivable.ContainsKey(criterion.Name))
            {
                criterionWaived.WithLabels(criterion.Name).Set(criterion.Waiver is null ? 0 : 1);
            }
        }

        if (now.Verified is not { } states)
        {
            return;
        }

        foreach (var table in tables)
        {
            Set(table.ToString(), states.TryGetValue(table, out var state) ? state : new TableState { Table = table });
        }

        foreach (var report in now.Checks ?? [])
        {
            Set(report, at);
        }

        if (now.Reconciler is { } beat)
        {
            behind.Set(beat.Behind);
            lastSeen.Set(beat.Age.TotalSeconds);
            failing.Set(beat.Fault is null ? 0 : 1);
        }
    }

    /// <summary>Nothing is known now, so that the gate is closed.</summary>
    public void Close() => gateOpen.Set(0);

    private void Set(CheckReport report, DateTimeOffset at)
    {
        var check = GateChecks.JsonName(report.Kind);
        var counts = report.Results.CountBy(result => result is { State: CheckState.Fail, Blocks: false } ? "warning" : result.State.ToString().ToLowerInvariant()).ToDictionary();

        // What could not be checked as a whole is one error, and nothing of what was found before.
        counts = report.Fault is null ? counts : new Dictionary<string, int> { ["error"] = 1 };
        foreach (var state in new[] { "pass", "inflight", "warning", "fail", "error" })
        {
            checkResults.WithLabels(check, state).Set(counts.GetValueOrDefault(state));
        }

        checkAge.WithLabels(check).Set(Math.Max(0, (at - report.At).TotalSeconds));
    }

    private void Set(string table, TableState state)
    {
        foreach (var known in Enum.GetValues<Verdict>())
        {
            verdict.WithLabels(table, known.ToString()).Set(known == state.Verdict ? 1 : 0);
        }

        running.WithLabels(table).Set(state.Phase is TablePhase.Passing or TablePhase.Settling ? 1 : 0);
        rowsCompared.WithLabels(table).Set(state.RowsSource);
        rowsEstimated.WithLabels(table).Set(state.EstimatedRows);
        dirtyKeys.WithLabels(table).Set(state.DirtyKeys);
        inFlight.WithLabels(table).Set(state.Pending.Count);
        foreach (var kind in Enum.GetValues<DifferenceKind>())
        {
            mismatched.WithLabels(table, kind.ToString().ToLowerInvariant()).Set(state.Wrong.Values.Count(row => row.Kind == kind));
        }

        if (state.CoveredAt is { } at)
        {
            lastSuccess.WithLabels(table).Set(at.ToUnixTimeMilliseconds() / 1000.0);
        }
    }
}

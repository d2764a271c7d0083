using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;
using Prometheus;

namespace CdcMigrator.UnitTests.Service;

/// <summary>What is known of equality is exported as it is known.</summary>
public sealed class VerificationMetricsTests
{
    [Fact]
    public async Task Verdicts_wrong_rows_checks_and_the_gate_are_exported()
    {
        var at = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var orders = new TableName("public", "orders");
        var key = new RowKey("7");
        var now = Scene.Running() with
        {
            Verified = new Dictionary<TableName, TableState>
            {
                [orders] = new()
                {
                    Table = orders,
                    Verdict = Verdict.Mismatch,
                    Phase = TablePhase.Passing,
                    RowsSource = 5,
                    EstimatedRows = 50,
                    DirtyKeys = 3,
                    Covered = true,
                    CoveredAt = at,
                    Wrong = new Dictionary<RowKey, RowMismatch> { [key] = new(key, DifferenceKind.Missing, []) },
                },
            },
            Reconciler = new ReconcilerBeat(at, TimeSpan.FromSeconds(2), 11, null),
            Checks =
            [
                new CheckReport { Kind = CheckKind.Rules, At = at - TimeSpan.FromSeconds(30), Results = [new CheckResult("a", CheckState.Fail, "x"), new CheckResult("b", CheckState.Fail, "x") { Severity = CdcMigrator.Domain.Preflight.Severity.Warning }] },
                new CheckReport { Kind = CheckKind.SchemaHistory, At = at, Fault = "gone", Results = [new CheckResult("a", CheckState.Pass, "x")] },
            ],
        };
        var registry = Metrics.NewCustomRegistry();
        new VerificationMetrics(Metrics.WithCustomRegistry(registry)).Set([orders], now, Gate.Of(Scene.Definition, now, at), at);
        using var stream = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(stream, TestContext.Current.CancellationToken);
        var text = System.Text.Encoding.UTF8.GetString(stream.ToArray());
        Assert.All(
            [
                "cdcmigrator_reconcile_verdict{table=\"public.orders\",verdict=\"Mismatch\"} 1", "cdcmigrator_reconcile_verdict{table=\"public.orders\",verdict=\"Equal\"} 0",
                "cdcmigrator_reconcile_running{table=\"public.orders\"} 1", "cdcmigrator_reconcile_rows_compared{table=\"public.orders\"} 5", "cdcmigrator_reconcile_rows_estimated{table=\"public.orders\"} 50",
                "cdcmigrator_reconcile_dirty_keys{table=\"public.orders\"} 3", "cdcmigrator_reconcile_mismatched_rows{table=\"public.orders\",kind=\"missing\"} 1",
                "cdcmigrator_reconcile_last_success_timestamp_seconds{table=\"public.orders\"} 1767268800", "cdcmigrator_reconcile_behind_records 11", "cdcmigrator_reconcile_last_seen_seconds 2",
                "cdcmigrator_reconcile_failing 0", "cdcmigrator_gate_open 0", "cdcmigrator_gate_criterion_pass{criterion=\"mismatches\"} 0", "cdcmigrator_gate_criterion_pass{criterion=\"reconciler\"} 1",
                "cdcmigrator_check_results{check=\"rules\",state=\"fail\"} 1", "cdcmigrator_check_results{check=\"rules\",state=\"warning\"} 1", "cdcmigrator_check_age_seconds{check=\"rules\"} 30",
                "cdcmigrator_check_results{check=\"schemaHistory\",state=\"error\"} 1", "cdcmigrator_check_results{check=\"schemaHistory\",state=\"pass\"} 0",
            ],
            line => Assert.Contains(line, text, StringComparison.Ordinal));
    }
}

using CdcMigrator.Cutover.Planning;

namespace CdcMigrator.Cli.Output;

/// <summary>A plan for people.</summary>
internal static class PlanView
{
    public static void Show(Terminal terminal, MigrationPlan plan)
    {
        foreach (var score in plan.Strategies)
        {
            terminal.Line($"[bold]{Sheet.Text(PlanText.Of(score.Strategy))}[/]: {score.Score} of 100");
            foreach (var reason in score.Reasons)
            {
                terminal.Line($"  {(reason.Points > 0 ? "[green]+" : "[red]-")}{Math.Abs(reason.Points)}[/] {Sheet.Text(reason.Reason)}");
            }
        }

        var sizing = plan.Sizing;
        terminal.Line(Sheet.Text($"{(sizing.WritesPerSecond is { } writes ? $"{PlanText.Number(writes)} rows written a second ({sizing.WritesFrom})" : "rows written a second not known")}; first copy {PlanText.Seconds(sizing.SnapshotSeconds)}, full comparison {PlanText.Seconds(sizing.VerificationSeconds)}, without writes at the cutover {PlanText.Seconds(sizing.OutageMilliseconds / 1000)}, "
            + $"source's log {(sizing.SourceLogBytes is { } bytes ? PlanText.Bytes(bytes) : "not known")}, Kafka {PlanText.Bytes(sizing.KafkaBytes)}, {sizing.Writers} writers, {plan.Groups.Count} groups of tables"));
        foreach (var blocker in plan.Blockers)
        {
            terminal.Line($"[red]mend first:[/] {Sheet.Text(blocker)}");
        }

        foreach (var risk in plan.Risks)
        {
            terminal.Line($"[yellow]{risk.Weight} risk[/] {Sheet.Text(risk.Code)}{Sheet.Text(risk.Tables.Count == 0 ? "" : $" ({string.Join(", ", risk.Tables.Take(4))}{(risk.Tables.Count > 4 ? ", …" : "")})")}: {Sheet.Text(risk.Risk)}");
            terminal.Line($"        {Sheet.Text(risk.Mitigation)}");
        }

        terminal.Line($"recommended: [bold]{Sheet.Text(PlanText.Of(plan.Recommended))}[/]");
    }
}

using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>An attempt for people: each step as it ends, then which side takes writes.</summary>
internal static class CutoverView
{
    /// <summary>Tells of steps that ended since; returns how many were told.</summary>
    public static int Tell(Terminal terminal, CutoverStatus now, int told)
    {
        foreach (var step in now.Steps.Skip(told))
        {
            terminal.Line($"{step.Ms,9:N0} ms  {(step.Done ? "[bold]" : "[red]")}{step.Name,-8}[/] {Sheet.Text(step.Outcome)}");
        }

        return now.Steps.Count;
    }

    public static void Show(Terminal terminal, CutoverStatus now)
    {
        var sheet = Sheet.Of("side", "takes writes", "attempt", "lease");
        sheet.AddRow("source", State(now.Source), Sheet.Text(now.Source?.Epoch.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? ""), Lease(now.Source));
        sheet.AddRow("target", State(now.Target), Sheet.Text(now.Target?.Epoch.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? ""), Lease(now.Target));
        terminal.Show(sheet);
        if (now.CompletedAt is { } at)
        {
            terminal.Line($"[green]completed[/] {at:yyyy-MM-dd HH:mm:ss}Z by {Sheet.Text(now.CompletedBy ?? "")}");
        }

        if (now.Phase is { } phase)
        {
            terminal.Line($"last attempt: {now.Direction}, by {Sheet.Text(now.Actor ?? "")}: {(phase is CutoverPhase.Done or CutoverPhase.Rehearsed ? "[green]" : "[yellow]")}{phase}[/]"
                + (now.WriteOutageMs is { } outage ? $", writes denied for {outage:N0} ms" : "") + (now.PredictedMs is { } predicted ? $" (predicted {predicted:N0})" : ""));
        }

        foreach (var fault in new[] { now.Away, now.Fault, now.WayBack }.OfType<FaultReport>())
        {
            terminal.Line($"[red]{Sheet.Text(fault.Message)}[/]{(fault.Fix is { Length: > 0 } fix ? $" {Sheet.Text(fix)}" : "")}");
        }

        FindingsView.Show(terminal, now.Findings);
        foreach (var next in now.NextSteps)
        {
            terminal.Line($"next: {Sheet.Text(next)}");
        }
    }

    /// <summary>What an attempt would do, and what is predicted of it.</summary>
    public static void Show(Terminal terminal, CutoverPlan plan)
    {
        var steps = Sheet.Of("step", "what");
        foreach (var step in plan.Steps)
        {
            steps.AddRow(step.Name.ToString(), Sheet.Text(step.Would));
        }

        terminal.Show(steps);
        if (plan.Predicted.Count > 0)
        {
            var parts = Sheet.Of("part of the outage", "half take less", "99 in 100 take less");
            foreach (var part in plan.Predicted)
            {
                parts.AddRow(Sheet.Text(OutagePrediction.Name(part.Part)), $"{part.P50Ms:N0} ms", $"{part.P99Ms:N0} ms");
            }

            terminal.Show(parts);
            terminal.Line($"predicted write outage: {plan.PredictedMs:N0} ms{(plan.HooksNotMeasured.Count == 0 ? "" : $", without hooks that never ran: {Sheet.Text(string.Join(", ", plan.HooksNotMeasured))}")}");
        }

        if (plan.Fault is { } fault)
        {
            terminal.Line($"[red]{Sheet.Text(fault.Message)}[/]{(fault.Fix is { Length: > 0 } fix ? $" {Sheet.Text(fix)}" : "")}");
        }
    }

    private static string State(CutoverSide? side) => side?.State switch
    {
        null => "not prepared",
        Domain.Fencing.FenceState.Open when side.Held is not null => "[yellow]yes: an attempt makes applications wait[/]",
        Domain.Fencing.FenceState.Open => "[green]yes[/]",
        Domain.Fencing.FenceState.Sealed when side.NoReturn => "[yellow]no: left without a way back[/]",
        Domain.Fencing.FenceState.Closed => "[yellow]no: closed by an attempt[/]",
        _ => "no",
    };

    private static string Lease(CutoverSide? side) => side?.LeaseLeftMs is { } left ? $"{left / 1000:0.0} s" : "";
}

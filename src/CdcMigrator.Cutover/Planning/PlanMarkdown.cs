using System.Text;

namespace CdcMigrator.Cutover.Planning;

/// <summary>A plan as Markdown. Pure.</summary>
public static class PlanMarkdown
{
    /// <summary>The text.</summary>
    public static string Render(MigrationPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var text = new StringBuilder();
        Line(text, $"# Plan: {plan.Migration}");
        Line(text);
        Line(text, $"Source: {plan.Source.Engine} {plan.Source.Version}, database {plan.Source.Database}; audited {plan.AuditedAt:u}. Allowed without writes: {PlanText.Seconds(plan.Wishes.Downtime.TotalSeconds)}; a way back is {(plan.Wishes.Rollback ? "wanted" : "not wanted")}; the application {(plan.Wishes.CanChangeApplication ? "can" : "cannot")} be changed.");
        Line(text);
        Line(text, $"**Recommended: {PlanText.Of(plan.Recommended)}**");
        Line(text);
        Line(text, "## Strategies");
        foreach (var score in plan.Strategies)
        {
            Line(text);
            Line(text, $"### {PlanText.Of(score.Strategy)}: {score.Score} of 100");
            Line(text);
            foreach (var reason in score.Reasons)
            {
                Line(text, $"- {(reason.Points > 0 ? "+" : "−")}{Math.Abs(reason.Points)}: {reason.Reason}");
            }
        }

        Sizes(text, plan.Sizing);
        Line(text);
        Line(text, "## To be mended first");
        Line(text);
        Line(text, plan.Blockers.Count == 0 ? "Nothing." : string.Join('\n', plan.Blockers.Select(blocker => $"- {blocker}")));
        Line(text);
        Line(text, "## Groups of tables");
        Line(text);
        Line(text, "Tables that foreign keys hold together, in the order in which to move them.");
        Line(text);
        Line(text, "| group | tables | rows | size | share |");
        Line(text, "|---:|---|---:|---:|---:|");
        foreach (var (group, i) in plan.Groups.Select((group, i) => (group, i)))
        {
            Line(text, $"| {i + 1} | {string.Join(", ", group.Tables.Take(12))}{(group.Tables.Count > 12 ? $" and {group.Tables.Count - 12} more" : "")} | {group.Rows:N0} | {PlanText.Bytes(group.Bytes)} | {group.Share:P0} |");
        }

        Line(text);
        Line(text, "## Risks");
        Line(text);
        Line(text, "| weight | risk | mitigation | tables |");
        Line(text, "|---|---|---|---|");
        foreach (var risk in plan.Risks)
        {
            Line(text, $"| {risk.Weight} | {Cell(risk.Risk)} (`{risk.Code}`) | {Cell(risk.Mitigation)} | {string.Join(", ", risk.Tables.Take(6))}{(risk.Tables.Count > 6 ? $" and {risk.Tables.Count - 6} more" : "")} |");
        }

        return text.ToString();
    }

    private static void Sizes(StringBuilder text, PlanSizing sizing)
    {
        Line(text);
        Line(text, "## Sizes");
        Line(text);
        Line(text, "| what | value |");
        Line(text, "|---|---|");
        Line(text, $"| rows, size | {sizing.Rows:N0}, {PlanText.Bytes(sizing.Bytes)} |");
        Line(text, $"| rows written a second | {(sizing.WritesPerSecond is { } writes ? $"{PlanText.Number(writes)} ({sizing.WritesFrom})" : "not known")} |");
        Line(text, $"| first copy through the log | {PlanText.Seconds(sizing.SnapshotSeconds)} |");
        Line(text, $"| catching up behind it | {(sizing.CatchUpSeconds is { } seconds ? PlanText.Seconds(seconds) : "never at this write rate")} |");
        Line(text, $"| dump and restore instead | {PlanText.Seconds(sizing.DumpSeconds)} |");
        Line(text, $"| full comparison | {PlanText.Seconds(sizing.VerificationSeconds)} |");
        Line(text, $"| without writes at the cutover, predicted | {PlanText.Seconds(sizing.OutageMilliseconds / 1000)} |");
        Line(text, $"| log the source must be able to keep | {(sizing.SourceLogBytes is { } bytes ? PlanText.Bytes(bytes) : "not known")} |");
        Line(text, $"| log in Kafka, one copy | {PlanText.Bytes(sizing.KafkaBytes)} |");
        Line(text, $"| writers (`apply.writers`) | {sizing.Writers} |");
        var many = sizing.Partitions.Where(table => table.Value > 1).OrderBy(table => table.Key, StringComparer.Ordinal).Select(table => $"{table.Key} {table.Value}").ToList();
        Line(text, $"| partitions | {(many.Count == 0 ? "one a table" : $"{string.Join(", ", many)}; one for the others")} |");
        Line(text);
        Line(text, "Times are by unit costs measured on two cores that everything shared (docs/benchmarks.md): measure yours in the rehearsal.");
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static void Line(StringBuilder text, string line = "") => text.Append(line).Append('\n');
}

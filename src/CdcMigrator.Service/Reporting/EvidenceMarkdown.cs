using System.Globalization;
using System.Text;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Reporting;

/// <summary>The evidence of an attempt as Markdown. Pure.</summary>
public static class EvidenceMarkdown
{
    /// <summary>The text.</summary>
    public static string Render(CutoverEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        var (text, report) = (new StringBuilder(), evidence.Report);
        Line(text, $"# Cutover of {evidence.Migration}: {report.Phase}");
        Line(text);
        Line(text, $"- confirmed by: {report.Attempt.Actor}");
        Line(text, report.Phase == CutoverPhase.Sealed
            ? $"- ended: not reported. This was written with the seal, at {evidence.At:u}, by a process that has not reported since; whether the {evidence.Taking} was opened is asked below"
            : $"- ended: {evidence.At:u}");
        Line(text, $"- direction: {report.Attempt.Direction}, from the {evidence.Left} to the {evidence.Taking}{(report.Attempt.Rehearsal ? "; a rehearsal" : "")}");
        Line(text, $"- attempt: {report.Attempt.Token}, number {report.Attempt.Epoch}");
        Line(text, $"- {evidence.Left} (system identifier/timeline): {Known(evidence.LeftServer)}");
        Line(text, $"- {evidence.Taking} (system identifier/timeline): {Known(evidence.TakingServer)}");
        Line(text, $"- writes denied: {(report.OutageMs is { } outage ? Ms(outage) : "not measured")}; predicted: {(evidence.PredictedMs is { } predicted ? $"{Ms(predicted)} (99 in 100 take less)" : "not predicted")}");
        if (report.Proof?.NoReturn is { } none)
        {
            Line(text, $"- way back: none, for {none}");
        }

        if (report.Fault is { } fault)
        {
            Line(text, $"- fault: {fault.Message} ({fault.Code})");
        }

        Head(text, "Steps", "step", "took", "outcome");
        foreach (var step in report.Steps)
        {
            Row(text, step.Name.ToString(), Ms(step.Ms), $"{(step.Done ? "" : "failed: ")}{step.Outcome}");
        }

        if (evidence.Waived.Count > 0)
        {
            Head(text, "Waived criteria of the gate", "criterion", "what was found", "by", "at", "reason");
            foreach (var waiver in evidence.Waived)
            {
                Row(text, waiver.Criterion, waiver.Measured, waiver.By, waiver.At.ToString("u", CultureInfo.InvariantCulture), waiver.Reason);
            }
        }

        if (evidence.Predicted.Count > 0)
        {
            Head(text, "Prediction", "part", "half take less than", "99 in 100 take less than");
            foreach (var part in evidence.Predicted)
            {
                Row(text, OutagePrediction.Name(part.Part), Ms(part.P50Ms), Ms(part.P99Ms));
            }
        }

        Positions(text, evidence);
        Tables(text, report);
        if (report.Hooks.Count > 0)
        {
            Head(text, "Hooks", "moment", "hook", "took", "result");
            foreach (var hook in report.Hooks)
            {
                Row(text, hook.Moment.ToString(), hook.Hook, Ms(hook.Elapsed.TotalMilliseconds), hook.Result);
            }
        }

        Line(text);
        Line(text, "## How to check it with psql alone");
        foreach (var check in evidence.Checks)
        {
            Line(text);
            Line(text, $"**{check.Side}**: {check.Claim}. Expected: {(check.Expected.Length > 0 ? check.Expected : "not known, the server did not answer")}");
            Line(text);
            Line(text, "```sql");
            Line(text, $"{check.Sql};");
            Line(text, "```");
        }

        return text.ToString();
    }

    private static void Positions(StringBuilder text, CutoverEvidence evidence)
    {
        var report = evidence.Report;
        if (report.Fence is { } fence)
        {
            Line(text);
            Line(text, "## Positions");
            Line(text);
            Line(text, $"- marker of the fence, in the {evidence.Left}: {fence.Marker}");
            Line(text, $"- L, read behind its commit: {EvidenceChecks.Lsn(fence.Lsn)}");
            if (report.Proof?.BackMarker is { } back)
            {
                Line(text, $"- marker of the way back, in the {evidence.Taking}: {back.Marker}, at {EvidenceChecks.Lsn(back.Lsn)}");
            }
        }

        if (report.Drain is not { } drain)
        {
            return;
        }

        Head(text, "Drain proof", "lane", "end", "applied up to");
        foreach (var lane in drain.Lanes)
        {
            Row(text, $"{lane.Topic}[{lane.Partition}]", Number(lane.EndOffset), Number(lane.NextOffset));
        }

        Line(text);
        Line(text, drain.Drained
            ? $"Marker seen, slot beyond it, every lane at its end, {drain.DeadLetters ?? 0} dead letters; after {Ms(drain.WaitedMs)}."
            : $"Not drained after {Ms(drain.WaitedMs)}: it waited for {drain.WaitingFor}.");
        if (report.Proof?.Back is { Lanes.Count: > 0 } start)
        {
            Head(text, "Where the way back begins", "lane", "offset");
            foreach (var lane in start.Lanes)
            {
                Row(text, lane.Lane.ToString(), Number(lane.Offset));
            }
        }
    }

    private static void Tables(StringBuilder text, CutoverReport report)
    {
        if (report.Proof is not { } proof)
        {
            return;
        }

        Head(text, "Tables", "table", "verdict", "rows compared", "all rows compared at", "last changed row equal at", "verified up to");
        foreach (var table in proof.Tables)
        {
            Row(
                text, table.Table, "Equal", Number(table.Rows), table.ComparedAt.ToString("u", CultureInfo.InvariantCulture), table.EqualAt?.ToString("u", CultureInfo.InvariantCulture) ?? "none changed",
                string.Join(", ", table.Offsets.OrderBy(offset => offset.Key).Select(offset => $"[{Number(offset.Key)}] {Number(offset.Value)}")));
        }

        Line(text);
        Line(text, proof.Sequences.Count == 0 ? "No sequence had to be moved." : $"Sequences moved on: {string.Join(", ", proof.Sequences)}.");
    }

    private static void Head(StringBuilder text, string title, params string[] columns)
    {
        Line(text);
        Line(text, $"## {title}");
        Line(text);
        Row(text, columns);
        Line(text, $"|{string.Concat(columns.Select(_ => "---|"))}");
    }

    private static void Row(StringBuilder text, params string[] cells) =>
        Line(text, $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ")))} |");

    private static void Line(StringBuilder text, string line = "") => text.Append(line).Append('\n');

    private static string Ms(double ms) => string.Create(CultureInfo.InvariantCulture, $"{ms:0.#} ms");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Known(string identity) => identity.Length > 0 ? identity : "did not answer";
}

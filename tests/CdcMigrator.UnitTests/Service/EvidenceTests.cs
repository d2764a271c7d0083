using System.Text.Json;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Golden;

namespace CdcMigrator.UnitTests.Service;

/// <summary>What an audit gets of an attempt.</summary>
public sealed class EvidenceTests
{
    private static readonly DateTimeOffset Compared = new(2026, 3, 1, 2, 0, 0, TimeSpan.Zero);

    private static MigrationDefinition Definition { get; } = new()
    {
        Name = "shop's",
        Source = new SourceSection(SourceKind.PostgreSql, "Host=10.0.0.5"),
        Target = new TargetSection("Host=10.0.0.6"),
        Log = new LogSection { TopicPrefix = "shop" },
        Tables =
        [
            new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("shop", "orders") },
            new TableMapping { Source = new TableName("public", "Odd|Table"), Target = new TableName("shop", "Odd|Table") },
        ],
    };

    [Fact]
    public void The_evidence_as_markdown_is_frozen() => GoldenFile.Matches("evidence-markdown", EvidenceMarkdown.Render(EvidenceChecks.Evidence(Definition, Compared.AddHours(1), Attempt())));

    [Fact]
    public void The_evidence_as_json_is_frozen() => GoldenFile.Matches("json-evidence", JsonSerializer.Serialize(EvidenceChecks.Evidence(Definition, Compared.AddHours(1), Attempt()), ApiJson.Options));

    [Fact]
    public void What_a_journal_keeps_is_read_again_as_it_was()
    {
        var written = JsonSerializer.Serialize(Attempt(), ApiJson.Options);
        var read = JsonSerializer.Deserialize<JournaledAttempt>(written, ApiJson.Options)!;
        Assert.Equal(written, JsonSerializer.Serialize(read, ApiJson.Options));
        Assert.Equal(EvidenceMarkdown.Render(EvidenceChecks.Evidence(Definition, Compared, Attempt())), EvidenceMarkdown.Render(EvidenceChecks.Evidence(Definition, Compared, read)));
    }

    [Fact]
    public void A_side_that_was_left_without_a_way_back_is_evidence_too()
    {
        var report = Attempt().Report;
        var evidence = EvidenceChecks.Evidence(Definition, Compared, Attempt() with { Report = report with { Proof = report.Proof! with { Back = null, BackMarker = null, NoReturn = "it does not run" } } });
        Assert.Contains("- way back: none, for it does not run", EvidenceMarkdown.Render(evidence), StringComparison.Ordinal);
        Assert.Equal(("source", "t"), evidence.Checks.Where(check => check.Sql.Contains("no_return", StringComparison.Ordinal)).Select(check => (check.Side, check.Expected)).Single());
        Assert.DoesNotContain(evidence.Checks, check => check.Claim.StartsWith("The way back begins", StringComparison.Ordinal));
    }

    [Fact]
    public void An_attempt_that_has_not_reported_since_its_seal_claims_what_was_written_with_it()
    {
        var report = Attempt().Report;
        var evidence = EvidenceChecks.Evidence(Definition, Compared, Attempt() with { Report = report with { Phase = CutoverPhase.Sealed, OutageMs = null } });
        var text = EvidenceMarkdown.Render(evidence);
        Assert.Contains("# Cutover of shop's: Sealed", text, StringComparison.Ordinal);
        Assert.Contains("- ended: not reported. This was written with the seal", text, StringComparison.Ordinal);
        Assert.Equal(["source"], evidence.Checks.Where(check => check.Sql.Contains("event = 'cutover-sealed'", StringComparison.Ordinal)).Select(check => check.Side));
        Assert.Contains(evidence.Checks, check => check.Side == "target" && check.Claim.StartsWith("It was opened by this attempt", StringComparison.Ordinal));
        Assert.Contains(evidence.Checks, check => check.Claim.StartsWith("Everything up to the ends", StringComparison.Ordinal));
    }

    [Fact]
    public void An_attempt_that_was_refused_claims_nothing_it_did_not_do()
    {
        var refused = Attempt() with { Report = new CutoverReport { Attempt = Attempt().Report.Attempt, Phase = CutoverPhase.Refused, Fault = new(FaultKind.NotAllowed, "gate-closed", "The gate is closed") } };
        var evidence = EvidenceChecks.Evidence(Definition, Compared, refused);
        Assert.DoesNotContain(evidence.Checks, check => check.Sql.Contains("fence_state", StringComparison.Ordinal) || check.Sql.Contains("progress", StringComparison.Ordinal));
        Assert.Contains("fault: The gate is closed (gate-closed)", EvidenceMarkdown.Render(evidence), StringComparison.Ordinal);
    }

    private static JournaledAttempt Attempt() => JournaledAttempt.Of(
        new CutoverReport
        {
            Attempt = new CutoverAttempt("0195f2b7c0de7d0e8a11", 2, MigrationDirection.Forward, "ann@ops", Rehearsal: false),
            Phase = CutoverPhase.Done,
            Steps = [new(CutoverStep.Prepare, 1200.5, "the gate is open, both ways work", true), new(CutoverStep.Fence, 40.1, "writes are denied", true), new(CutoverStep.Open, 12, "writes are taken", true)],
            Fence = new FencePosition("marker:1", 0x1_0000_00A0),
            Drain = new DrainReport(true, true, true, [new DrainLane("shop.public.orders", 0, 120, 120), new DrainLane("shop.public.orders", 1, 80, 81)], 0, 410),
            Proof = new CutoverProof(
                [
                    new TableProof("public.orders", Compared, 1000, Compared.AddMinutes(59), new Dictionary<int, long> { [1] = 81, [0] = 120 }),
                    new TableProof("public.Odd|Table", Compared, 7, null, new Dictionary<int, long>()),
                ],
                ["shop.orders_id_seq"],
                new DirectionStart([new AimedLane(new LaneId("shop-back.shop.orders", 0), new LogIdentity("cluster", "topic", 4), 55)], 0x2_0000_0000, Definition.Tables),
                new FencePosition("marker:2", 0x2_0000_0000)),
            Hooks = [new HookOutcome(HookMoment.BeforeFence, "pooler", "done", "", TimeSpan.FromMilliseconds(21), null)],
            OutageMs = 812.4,
        },
        null, "7301/1", "7302/1", [new WaiverReport("reads", WaiverState.InForce, "ann", "the index comes on Monday", Compared, null, "orders Slower: 2.4 times")]) with
    {
        PredictedMs = 1490.2,
        Predicted = [new PredictedPartReport(OutagePart.Fence, 3.1, 9.9), new PredictedPartReport(OutagePart.Confirm, 700, 1100)],
    };
}

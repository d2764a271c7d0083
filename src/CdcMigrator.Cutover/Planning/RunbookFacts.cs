namespace CdcMigrator.Cutover.Planning;

/// <summary>What the runbook's texts need of a plan, as text.</summary>
internal sealed class RunbookFacts(MigrationPlan plan, string file)
{
    public MigrationPlan Plan { get; } = plan;

    public string File { get; } = file;

    public string Strategy { get; } = PlanText.Of(plan.Recommended);

    public string Snapshot { get; } = PlanText.Seconds(plan.Sizing.SnapshotSeconds + (plan.Sizing.CatchUpSeconds ?? 0));

    public string Verification { get; } = PlanText.Seconds(plan.Sizing.VerificationSeconds);

    public string Dump { get; } = PlanText.Seconds(plan.Sizing.DumpSeconds);

    public string Allowed { get; } = PlanText.Seconds(plan.Wishes.Downtime.TotalSeconds);

    public string Predicted { get; } = PlanText.Seconds(plan.Recommended == Planning.Strategy.BigBang ? plan.Sizing.DumpSeconds + plan.Sizing.VerificationSeconds : plan.Sizing.OutageMilliseconds / 1000);

    public string SourceLog { get; } = plan.Sizing.SourceLogBytes is { } bytes ? PlanText.Bytes(2.0 * bytes) : "twice what it writes in a day";

    public bool IsPostgres { get; } = plan.Source.Engine == "postgresql";
}

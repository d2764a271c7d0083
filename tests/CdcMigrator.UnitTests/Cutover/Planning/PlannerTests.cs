using System.Text.Json;
using CdcMigrator.Cutover.Planning;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Service.Api;
using CdcMigrator.TestKit.Golden;

namespace CdcMigrator.UnitTests.Cutover.Planning;

/// <summary>A plan follows from sizes, write rate, keys, foreign keys and wishes.</summary>
public sealed class PlannerTests
{
    private static readonly HashSet<string> None = [];

    [Theory]
    [InlineData("small, and hours allowed, no way back wanted", 1_000, 1e6, 0, 7200, false, false, 0, Strategy.BigBang)]
    [InlineData("small, but seconds allowed", 1_000_000, 1e9, 10, 3, true, false, 0, Strategy.ChangeDataCapture)]
    [InlineData("small, hours allowed, a way back wanted", 1_000_000, 1e9, 10, 7200, true, false, 0, Strategy.ChangeDataCapture)]
    [InlineData("large, seconds allowed", 500_000_000, 150e9, 500, 3, true, false, 0, Strategy.ChangeDataCapture)]
    [InlineData("very large, groups, an application that can change", 4_000_000_000, 2e12, 16_000, 3, true, true, 0, Strategy.Strangler)]
    [InlineData("hours allowed, and keys are missing everywhere", 1_000_000, 1e9, 10, 7200, false, false, 6, Strategy.BigBang)]
    public void The_strategy_follows_from_sizes_and_wishes(string why, long rows, double bytes, double writes, int seconds, bool rollback, bool change, int keyless, Strategy expected)
    {
        var findings = Enumerable.Range(0, keyless).Select(i => new Finding(Severity.Error, "keyless", "x", "y") { Table = $"public.k{i}" }).ToArray();
        var audit = Audits.Of([Audits.Table("public.a", rows / 2, (long)(bytes / 2), writes / 2), Audits.Table("public.b", rows / 2, (long)(bytes / 2), writes / 2)], findings);
        var plan = Planner.Of(audit, new PlanWishes { Downtime = TimeSpan.FromSeconds(seconds), Rollback = rollback, CanChangeApplication = change }, new UnitCosts(), None);
        Assert.True(plan.Recommended == expected, $"{why}: {string.Join("; ", plan.Strategies.Select(score => $"{score.Strategy} {score.Score}"))}");
    }

    [Theory]
    [InlineData(5, 200.0, "average since the counters began")]
    [InlineData(900, 900.0, "measured over 10 s")]
    public void The_greater_of_the_present_and_the_average_rate_is_planned_for_and_said(double measured, double planned, string from)
    {
        var sizing = Planner.Of(Audits.Shop with { Measured = new MeasuredRates(10, measured, measured * 1000) }, new PlanWishes(), new UnitCosts(), None).Sizing;
        Assert.Equal((planned, from), (sizing.WritesPerSecond, sizing.WritesFrom));
        var average = Planner.Of(Audits.Shop, new PlanWishes(), new UnitCosts(), None).Sizing;
        Assert.Equal(measured > 200, sizing.SourceLogBytes > average.SourceLogBytes);
        Assert.Equal(measured > 200, sizing.KafkaBytes > average.KafkaBytes);
        var (from1, to) = ((At: 100.0, Writes: 50.0, LogBytes: (double?)null), (At: 110.0, Writes: 150.0, LogBytes: (double?)7));
        Assert.Equal(new MeasuredRates(10, 10, null), MeasuredRates.Between(from1, to));
        Assert.Null(MeasuredRates.Between(to, from1));
        Assert.Null(MeasuredRates.Between(from1, (101, 150, null)));
        Assert.Null(MeasuredRates.Between(from1, (110, 49, null)));
    }

    [Fact]
    public void Every_score_is_the_sum_of_its_reasons_within_bounds() =>
        Assert.All(Planner.Of(Audits.Shop, new PlanWishes(), new UnitCosts(), None).Strategies, score =>
        {
            Assert.Equal(Math.Clamp(score.Reasons.Sum(reason => reason.Points), 0, 100), score.Score);
            Assert.All(score.Reasons, reason => Assert.NotEqual(0, reason.Points));
        });

    [Fact]
    public void Each_error_that_stands_in_the_way_of_capturing_costs_capture_points_and_is_a_blocker()
    {
        var before = Score(Audits.Shop);
        var after = Score(Audits.Shop with { Findings = [new Finding(Severity.Error, "replica-identity", "x", "y") { Table = "public.orders" }, .. Audits.Shop.Findings] });
        Assert.Equal(5, before - after);
        Assert.Equal(before, Score(Audits.Shop with { Findings = [new Finding(Severity.Error, "permission", "x", "y"), .. Audits.Shop.Findings] }));
        var plan = Planner.Of(Audits.Shop with { Findings = [new Finding(Severity.Error, "year-zero", "x", "y") { Table = "public.orders", Column = "y" }] }, new PlanWishes(), new UnitCosts(), None);
        Assert.Equal(["year-zero public.orders.y"], plan.Blockers);

        static int Score(AuditReport audit) =>
            Planner.Of(audit, new PlanWishes(), new UnitCosts(), None).Strategies.Single(score => score.Strategy == Strategy.ChangeDataCapture).Score;
    }

    [Fact]
    public void A_source_written_faster_than_one_connector_captures_is_never_caught_up()
    {
        var costs = new UnitCosts();
        Assert.Null(Sizing.Of(Audits.Of([Audits.Table("public.a", 1000, 1000, costs.CaptureRowsPerSecond)]), new PlanWishes(), costs, None).CatchUpSeconds);
        var just = Sizing.Of(Audits.Of([Audits.Table("public.a", 1_500_000, 1000, costs.CaptureRowsPerSecond / 2)]), new PlanWishes(), costs, None);
        Assert.Equal((100, 100), (just.SnapshotSeconds, just.CatchUpSeconds));
        var plan = Planner.Of(Audits.Of([Audits.Table("public.a", 1000, 1000, 20_000)]), new PlanWishes(), costs, None);
        Assert.Contains(plan.Risks, risk => risk is { Code: "write-rate", Weight: "high" });
    }

    [Fact]
    public void Sizes_are_those_of_the_tables_the_rates_and_the_wishes()
    {
        var sizing = Sizing.Of(Audits.Shop, new PlanWishes { Outage = TimeSpan.FromHours(1), LogRetention = TimeSpan.FromDays(1) }, new UnitCosts(), new HashSet<string> { "public.items" });
        Assert.Equal((16_200_000, 4_960_000_000, 200), (sizing.Rows, sizing.Bytes, sizing.WritesPerSecond));
        Assert.Equal(1080, sizing.SnapshotSeconds);
        Assert.Equal(100_000 * (1080 + 3600), sizing.SourceLogBytes);
        Assert.Equal(["public.customers 1", "public.events 3", "public.items 1", "public.orders 1"], sizing.Partitions.Select(pair => $"{pair.Key} {pair.Value}").Order(StringComparer.Ordinal));
        Assert.Equal(4, sizing.Writers);
    }

    [Fact]
    public void Rates_of_the_server_stand_in_where_tables_have_none()
    {
        var audit = Audits.Of([Audits.Table("shop.a", 10, 10) with { WritesPerSecond = null }]);
        Assert.Equal(210, Sizing.Of(audit, new PlanWishes(), new UnitCosts(), None).WritesPerSecond);
        Assert.Contains(Planner.Of(audit with { Source = audit.Source with { WritesPerSecond = null } }, new PlanWishes(), new UnitCosts(), None).Risks, risk => risk.Code == "write-rate-unknown");
    }

    [Fact]
    public void Foreign_keys_hold_tables_together_and_the_smallest_group_goes_first()
    {
        Assert.Equal(
            ["public.customers public.items public.orders", "public.events"],
            TableGroups.Of(Audits.Shop).Select(group => string.Join(' ', group.Tables)));
        var outside = Audits.Shop with { ForeignKeys = [new ForeignKeyProfile("x", "public.items", "crm.elsewhere"), new ForeignKeyProfile("y", "public.orders", "public.orders")] };
        Assert.Equal(4, TableGroups.Of(outside).Count);
    }

    [Fact]
    public void The_plan_as_markdown_is_frozen() => GoldenFile.Matches("plan-markdown", PlanMarkdown.Render(Planner.Of(Audits.Shop, new PlanWishes(), new UnitCosts(), None)));

    [Fact]
    public void The_plan_as_json_is_frozen() => GoldenFile.Matches("json-plan", JsonSerializer.Serialize(Planner.Of(Audits.Shop, new PlanWishes(), new UnitCosts(), None), ApiJson.Options));
}

using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.UnitTests.Service;

/// <summary>An attempt that only says what it would do: the same steps in the same order.</summary>
public sealed class RecordingCutoverTests
{
    private static MigrationDefinition Definition { get; } = new()
    {
        Name = "shop",
        Source = new SourceSection(SourceKind.PostgreSql, "Host=old;Database=a;Password=secret"),
        Target = new TargetSection("Host=new;Port=5433;Database=b"),
        Log = new LogSection { TopicPrefix = "shop" },
        Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("shop", "orders") }],
        Cutover = new CutoverSection
        {
            AppRoles = ["app"],
            Route = new RouteSection { BeforeFence = [new CommandHook("pause", [HookText.Plain("true")], new Dictionary<string, HookText>(), TimeSpan.FromSeconds(1))] },
        },
    };

    [Fact]
    public async Task Every_step_says_what_it_would_do_and_on_which_side()
    {
        var plan = await PlanAsync(MigrationDirection.Forward, rehearsal: false, (_, _) => Task.FromResult("the gate is open"));
        Assert.Null(plan.Fault);
        Assert.Equal(
            """
            Prepare: the gate is open
            Hold: would run hooks: pause
            Fence: would deny writes on the source old:5432/a to 1 tables, for 30s without a renewal: public.orders
            Drain: would wait, 10s at most, until everything before the fence is applied
            Prove: would compare every key that changed, in 1 tables; would move sequences of the target new:5433/b on, 1000 values beyond: public.orders_id_seq; would find where the way back begins; would try a write on the source old:5432/a as app
            Seal: would leave the source old:5432/a for good: the point of no return
            Open: would allow writes on the target new:5433/b
            Route: no hooks
            """,
            string.Join('\n', plan.Steps.Select(step => $"{step.Name}: {step.Would}")), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public async Task The_way_back_names_the_other_side_and_a_rehearsal_seals_nothing()
    {
        var back = await PlanAsync(MigrationDirection.Back, rehearsal: false, (_, _) => Task.FromResult(""));
        Assert.Contains(back.Steps, step => step.Would.StartsWith("would deny writes on the target new:5433/b to 1 tables, for 30s without a renewal: shop.orders", StringComparison.Ordinal));
        var rehearsal = await PlanAsync(MigrationDirection.Forward, rehearsal: true, (_, _) => Task.FromResult(""));
        Assert.Equal(CutoverStep.Prove, rehearsal.Steps[^1].Name);
    }

    [Fact]
    public async Task What_would_be_refused_says_why_and_goes_no_further()
    {
        var plan = await PlanAsync(MigrationDirection.Forward, rehearsal: false, (_, _) => throw new FaultException(FaultKind.NotAllowed, "gate-closed", "The gate is closed"));
        Assert.Equal("gate-closed", plan.Fault?.Code);
        Assert.Equal(["The gate is closed"], plan.Steps.Select(step => step.Would));
    }

    private static async Task<CutoverPlan> PlanAsync(MigrationDirection direction, bool rehearsal, Func<CutoverAttempt, CancellationToken, Task<string>> prepare)
    {
        var options = CutoverOptions.Of(Definition);
        var recording = new RecordingCutover(
            prepare, _ => Task.FromResult<IReadOnlyList<TableName>>([new TableName("public", "orders_id_seq")]), Definition, options, new RoutingHooks(options.Route, null!, TimeProvider.System));
        var report = await new CutoverRun(recording, options, TimeProvider.System, _ => { })
            .RunAsync(new CutoverAttempt("t", 2, direction, "ann", rehearsal), CancellationToken.None, CancellationToken.None);
        return CutoverPlan.Of("shop", report, recording.Would, null);
    }
}

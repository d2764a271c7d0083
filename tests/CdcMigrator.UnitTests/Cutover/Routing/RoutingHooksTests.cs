using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Cutover.Routing;

public sealed class RoutingHooksTests
{
    private static readonly HookContext Context = new("shop", "t1", 7, MigrationDirection.Back, new RouteEnd("new", 5433, "shop"), new RouteEnd("old", 5432, "shop"));
    private static readonly HookRun Failed = new("hook-failed", "exit code 3", "first\nno such pool\n");
    private readonly ScriptedRunner runner = new();
    private readonly FakeTimeProvider time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private RoutingHooks Hooks => new(
        new RouteSection
        {
            PgBouncers = [new PgBouncerHook("pgbouncer", HookText.Plain("Host=pool;Username=admin"), ["shop", "a\"b"], TimeSpan.FromSeconds(1))],
            BeforeFence = [Command("before 1"), Command("before 2")],
            AfterOpen = [Command("after 1"), Command("after 2")],
            OnAbort = [Command("abort 1"), Command("abort 2")],
        },
        runner, time);

    [Fact]
    public async Task A_pause_comes_last_before_the_fence_a_resume_last_behind_it_and_first_at_an_abort()
    {
        await Hooks.BeforeFenceAsync(Context, Cancellation);
        await Hooks.AfterOpenAsync(Context, _ => Task.CompletedTask, Cancellation);
        await Hooks.OnAbortAsync(Context, () => Task.FromResult(true), Cancellation);
        Assert.Equal(
            [
                "BeforeFence before 1", "BeforeFence before 2", "BeforeFence pgbouncer", "AfterOpen after 1", "AfterOpen after 2", "AfterOpen pgbouncer",
                "OnAbort pgbouncer", "OnAbort abort 1", "OnAbort abort 2",
            ],
            runner.Ran);
    }

    [Fact]
    public async Task Before_the_fence_the_first_failure_ends_it_and_says_what_is_so_and_what_to_type()
    {
        runner.Answer("before 2", Failed);
        var outcomes = await Hooks.BeforeFenceAsync(Context, Cancellation);
        Assert.Equal(["BeforeFence before 1", "BeforeFence before 2"], runner.Ran);
        Assert.Equal([true, false], outcomes.Select(outcome => outcome.Succeeded));
        var fault = outcomes[^1].Fault!;
        Assert.Equal(("hook-failed", FaultKind.Unreachable), (fault.Code, fault.Kind));
        Assert.Equal("beforeFence hook 'before 2': exit code 3: no such pool", fault.Message);
        Assert.StartsWith("The cutover is undone and applications go on at new:5433/shop; mend the hook and start again. To try it by hand: CDCM_MIGRATION=shop ", fault.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Behind_the_opening_a_hook_is_repeated_until_it_succeeds_and_the_next_one_waits()
    {
        runner.Answer("after 1", Failed, Failed, new HookRun("hook-not-started", "gone", ""));
        var told = new List<HookOutcome>();
        var running = Hooks.AfterOpenAsync(Context, outcome =>
        {
            told.Add(outcome);
            return Task.CompletedTask;
        }, Cancellation);
        while (!running.IsCompleted)
        {
            Assert.DoesNotContain("AfterOpen after 2", runner.Ran);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await running;
        Assert.Equal(["after 1", "after 1", "after 1", "after 1", "after 2", "pgbouncer"], told.Select(outcome => outcome.Hook));
        Assert.Equal([false, false, false, true, true, true], told.Select(outcome => outcome.Succeeded));
        Assert.Contains("Applications must write to old:5432/shop now; it is tried again until it succeeds. By hand: ", told[0].Fault!.Fix, StringComparison.Ordinal);
        Assert.Equal(FaultKind.Configuration, told[2].Fault!.Kind);
    }

    [Fact]
    public async Task Behind_the_opening_who_gives_up_gives_up_at_once()
    {
        runner.Answer("after 1", [.. Enumerable.Repeat(Failed, 100)]);
        using var stop = new CancellationTokenSource();
        var running = Hooks.AfterOpenAsync(Context, _ => stop.CancelAsync(), stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(["AfterOpen after 1"], runner.Ran);
    }

    [Fact]
    public async Task At_an_abort_every_hook_is_run_whatever_becomes_of_the_others_and_failing_ones_three_times()
    {
        runner.Answer("pgbouncer", Failed, Failed, Failed, Failed);
        runner.Answer("abort 1", Failed);
        var running = Hooks.OnAbortAsync(Context, () => Task.FromResult(true), Cancellation);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        var outcomes = await running;
        Assert.Equal(["pgbouncer", "pgbouncer", "pgbouncer", "abort 1", "abort 1", "abort 2"], outcomes.Select(outcome => outcome.Hook));
        Assert.Equal([false, false, false, false, true, true], outcomes.Select(outcome => outcome.Succeeded));
        Assert.False(Hooks.HaveLetGo(outcomes));
        Assert.Equal("Applications must go on at new:5433/shop. By hand: psql -h pool -p 6432 -U admin -d pgbouncer -c 'RESUME \"shop\"' -c 'RESUME \"a\"\"b\"'", outcomes[0].Fault!.Fix);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task An_abort_has_let_applications_go_once_every_hook_of_it_succeeded_and_not_where_it_was_cut_short(int asked)
    {
        runner.Answer("abort 1", Failed);
        var left = asked;
        var running = Hooks.OnAbortAsync(Context, () => Task.FromResult(left-- > 0), Cancellation);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(asked, (await running).Count);
        Assert.False(Hooks.HaveLetGo(await running));

        // At the second try.
        runner.Answer("abort 1", Failed);
        running = Hooks.OnAbortAsync(Context, () => Task.FromResult(true), Cancellation);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True(Hooks.HaveLetGo(await running));
        Assert.True(new RoutingHooks(new RouteSection { BeforeFence = [Command("before")] }, runner, time).HaveLetGo([]));
    }

    [Fact]
    public async Task A_last_line_without_end_is_cut_in_the_fault()
    {
        runner.Answer("before 1", Failed with { Output = new string('x', 4000) });
        var outcome = Assert.Single(await Hooks.BeforeFenceAsync(Context, Cancellation));
        Assert.EndsWith("x…", outcome.Fault!.Message, StringComparison.Ordinal);
        Assert.InRange(outcome.Fault.Message.Length, 300, 400);
        Assert.Equal(4000, outcome.Output.Length);
    }

    [Fact]
    public async Task What_is_known_to_be_wrong_is_said_before_anything_is_done()
    {
        var hooks = new RoutingHooks(new RouteSection { OnAbort = [Command("right"), Command("wrong")] }, runner, time);
        Assert.Equal("wrong", Assert.Single(await hooks.CheckAsync(Cancellation)).Message);
        Assert.Empty(runner.Ran);
    }

    private static CommandHook Command(string name) => new(name, [HookText.Plain("/bin/true")], new Dictionary<string, HookText>(), TimeSpan.FromSeconds(1));
}

using System.Collections.Concurrent;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>When applications are told, and by whom: at once where nobody else can be waited for, and all of them before anything is noted.</summary>
public sealed class LettingGoTests(PostgresFixture postgres)
{
    private static readonly TimeSpan Over = TimeSpan.FromMilliseconds(-1);
    private static readonly TimeSpan Lease = TimeSpan.FromHours(1);
    private readonly ToldHooks hooks = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_lifts_a_fence_in_its_coordinators_place_tells_applications_at_once_and_others_leave_it_to_him(bool forDead)
    {
        await using var scene = await SceneAsync();
        await scene.Sides.Source.CloseAsync("a1", 2, forDead ? Over : Lease, Cancellation);
        await (forDead ? scene.Keeper().TurnAsync(Cancellation) : scene.Sides.LiftAsync(Cancellation));
        await scene.KeepingElsewhere().TurnAsync(Cancellation);
        Assert.Empty(hooks.Told);
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["OnAbort first a1", "OnAbort second a1"], hooks.Told);
        Assert.Equal("a1", (await scene.Sides.Source.ReadAsync(Cancellation))!.Routed);
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(2, hooks.Told.Count);
    }

    [Fact]
    public async Task Whoever_opens_a_side_in_its_coordinators_place_sends_applications_there_at_once()
    {
        await using var scene = await SceneAsync();
        await scene.Sides.Source.CloseAsync("a1", 2, Lease, Cancellation);
        Assert.True(await scene.Sides.Source.SealAsync("a1", TimeSpan.Zero, aim: null, Cancellation));
        await scene.Keeper().TurnAsync(Cancellation);
        await scene.KeepingElsewhere().TurnAsync(Cancellation);
        Assert.Empty(hooks.Told);
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["AfterOpen there a1"], hooks.Told);
    }

    [Fact]
    public async Task What_is_lifted_between_two_looks_is_seen_without_waiting_for_the_next_one()
    {
        await using var scene = await SceneAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var still = new StillTime();
        var running = scene.KeepingWith(still).RunAsync(MigrationDirection.Forward, stop.Token);
        await UntilAsync(() => Task.FromResult(still.Waits));
        await scene.Sides.Source.CloseAsync("a1", 2, Over, Cancellation);
        await scene.Keeper().TurnAsync(Cancellation);
        await UntilAsync(() => Task.FromResult(hooks.Told.Count == 2));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task The_note_that_applications_wait_is_over_before_the_lease_is()
    {
        await using var scene = await SceneAsync();
        await scene.Live.HoldAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.True(await IsShortAsync());

        // Renewed, by its keeper and before the close, it is no longer than that either.
        await using var writer = await WriterAsync(scene);
        await scene.RunOutAsync("30 minutes");
        var closing = scene.Live.CloseAsync(scene.Attempt, Lease, Cancellation);
        await UntilAsync(scene.IsWaitedForAsync);
        await UntilAsync(() => scene.Source.ScalarAsync<bool>("select held_until > clock_timestamp() + interval '31 minutes' from cdc_migrator.fence_state"));
        Assert.True(await IsShortAsync());
        await writer.DisposeAsync();
        await closing;
        Assert.Equal(FenceState.Closed, (await scene.Sides.Source.ReadAsync(Cancellation))!.State);

        Task<bool> IsShortAsync() => scene.Source.ScalarAsync<bool>("select held_until <= clock_timestamp() + interval '1 hour' - interval '2 seconds' from cdc_migrator.fence_state");
    }

    [Fact]
    public async Task An_attempt_that_is_called_off_while_it_waits_for_its_tables_lets_applications_go_and_does_not_wait_on()
    {
        await using var scene = await SceneAsync();
        await scene.Live.HoldAsync(scene.Attempt, _ => { }, Cancellation);
        await using var writer = await WriterAsync(scene);
        var closing = Assert.ThrowsAsync<FaultException>(() => scene.Live.CloseAsync(scene.Attempt, Lease, Cancellation));
        await UntilAsync(scene.IsWaitedForAsync);
        Assert.Single(await scene.Sides.CallOffAsync(Sides.OwnersTime, Cancellation));
        var fault = (await closing).Fault;
        Assert.Equal((FaultKind.NotAllowed, "called-off"), (fault.Kind, fault.Code));
        await scene.Live.RouteBackAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal(["BeforeFence wait a1", "OnAbort first a1", "OnAbort second a1"], hooks.Told);
        Assert.Equal((FenceState.Open, ""), await StateAsync(scene));
    }

    [Fact]
    public async Task A_renewal_that_finds_the_note_gone_by_the_close_itself_does_not_call_the_close_off()
    {
        await using var scene = await SceneAsync();
        await using var applications = scene.Applications();
        var context = new HookContext("m", "a1", 2, MigrationDirection.Forward, new RouteEnd("", 0, ""), new RouteEnd("", 0, ""));
        await applications.WaitAsync(context, _ => { }, Cancellation);
        Assert.True(await applications.CloseAsync(context, async stop =>
        {
            await scene.Sides.Source.CloseAsync("a1", 2, Lease, stop);

            // It is renewed once a second.
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, Cancellation);
            stop.ThrowIfCancellationRequested();
            return true;
        }, Cancellation));
        Assert.Equal((FenceState.Closed, ""), await StateAsync(scene));
    }

    [Fact]
    public async Task An_owner_that_was_called_off_keeps_its_note_while_it_lives_and_others_do_not_run_its_hooks_beside_it()
    {
        await using var scene = await SceneAsync();
        await scene.Live.HoldAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Single(await scene.Sides.CallOffAsync(Sides.OwnersTime, Cancellation));
        await UntilAsync(() => scene.Source.ScalarAsync<bool>("select releasing and held_until > clock_timestamp() + interval '30 minutes' from cdc_migrator.fence_state"));
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["BeforeFence wait a1"], hooks.Told);
        await scene.Live.RouteBackAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal((FenceState.Open, ""), await StateAsync(scene));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Hooks_that_were_not_run_because_a_later_attempt_came_are_not_noted_as_done(bool byOwner)
    {
        await using var scene = await SceneAsync();
        var side = scene.Sides.Source;
        await side.CloseAsync("a1", 2, Lease, Cancellation);
        await side.UndoAsync("a1", onlyForsaken: false, Cancellation);
        await scene.AgeAsync();
        hooks.On = async hook => Assert.True(hook != "first" || await side.Hold.TakeAsync("a2", 3, Lease, Cancellation));
        await (byOwner ? scene.Live.RouteBackAsync(scene.Attempt, _ => { }, Cancellation) : scene.Keeping.TurnAsync(Cancellation));
        Assert.Equal(["OnAbort first a1"], hooks.Told);
        Assert.Equal("", (await side.ReadAsync(Cancellation))!.Routed);

        // The later one let its own applications go; whoever the earlier one left waiting is told then.
        hooks.On = _ => Task.CompletedTask;
        await side.Hold.EndAsync("a2", Cancellation);
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["OnAbort first a1", "OnAbort first a1", "OnAbort second a1"], hooks.Told);
        Assert.Equal("a1", (await side.ReadAsync(Cancellation))!.Routed);
    }

    [Fact]
    public async Task A_note_that_is_lost_while_its_hooks_are_run_is_not_ended_before_all_of_them_were()
    {
        await using var scene = await SceneAsync();
        var side = scene.Sides.Source;
        hooks.On = hook => hook == "first" ? LoseAsync(scene) : Task.CompletedTask;
        for (var epoch = 2; ; epoch++)
        {
            hooks.Told.Clear();
            Assert.True(await side.Hold.TakeAsync($"a{epoch}", epoch, Lease, Cancellation));
            await scene.RunOutAsync();
            await scene.Keeping.TurnAsync(Cancellation);
            if (hooks.Told.Count == 1)
            {
                break;
            }

            // A slow machine may see too late that it is lost.
            await side.Hold.EndAsync($"a{epoch}", Cancellation);
        }

        var held = (await StateAsync(scene)).Held;
        Assert.NotEqual("", held);
        hooks.On = _ => Task.CompletedTask;
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal([$"OnAbort first {held}", $"OnAbort first {held}", $"OnAbort second {held}"], hooks.Told);
        Assert.Equal((FenceState.Open, ""), await StateAsync(scene));
    }

    /// <summary>Has the note run out in the moment of a renewal, which fails by that.</summary>
    private static async Task LoseAsync(HoldScene scene)
    {
        await using (var other = await scene.Source.DataSource.OpenConnectionAsync(Cancellation))
        await using (var transaction = await other.BeginTransactionAsync(Cancellation))
        {
            await using var runOut = new NpgsqlCommand("update cdc_migrator.fence_state set held_until = clock_timestamp() - interval '1 ms'", other, transaction);
            await runOut.ExecuteNonQueryAsync(Cancellation);
            await UntilAsync(scene.IsWaitedForAsync);
            await transaction.CommitAsync(Cancellation);
        }

        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancellation);
    }

    /// <summary>A session that writes, and that the fence waits for.</summary>
    private static async Task<NpgsqlConnection> WriterAsync(HoldScene scene)
    {
        var writer = await scene.Source.DataSource.OpenConnectionAsync(Cancellation);
        await using var write = new NpgsqlCommand("begin; insert into orders values (1, 'x')", writer);
        await write.ExecuteNonQueryAsync(Cancellation);
        return writer;
    }

    private static async Task<(FenceState State, string Held)> StateAsync(HoldScene scene)
    {
        var record = await scene.Sides.Source.ReadAsync(Cancellation);
        return (record!.State, record.Held);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }

    private Task<HoldScene> SceneAsync() => HoldScene.CreateAsync(
        postgres, new RouteSection { BeforeFence = [Hook("wait")], AfterOpen = [Hook("there")], OnAbort = [Hook("first"), Hook("second")] }, hooks);

    private static CommandHook Hook(string name) => new(name, [HookText.Plain("/bin/true")], new Dictionary<string, HookText>(), TimeSpan.FromMinutes(1));

    /// <summary>Hooks that succeed, and what is done meanwhile.</summary>
    private sealed class ToldHooks : IHookRunner
    {
        public ConcurrentQueue<string> Told { get; } = new();

        public Func<string, Task> On { get; set; } = _ => Task.CompletedTask;

        public async Task<HookRun> RunAsync(RoutingHook hook, HookMoment moment, HookContext context, CancellationToken cancellationToken)
        {
            Told.Enqueue($"{moment} {hook.Name} {context.Token}");
            await On(hook.Name);
            return new HookRun(null, "exit code 0", "");
        }

        public Task<Fault?> CheckAsync(RoutingHook hook, CancellationToken cancellationToken) => Task.FromResult<Fault?>(null);
    }

    /// <summary>No pause ends.</summary>
    private sealed class StillTime : TimeProvider
    {
        private volatile bool waits;

        public bool Waits => waits;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            waits = true;
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}

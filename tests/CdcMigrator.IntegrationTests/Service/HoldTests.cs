using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>Applications that were told to wait go on, wherever the process that told them dies.</summary>
public sealed class HoldTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cdcm-hold");
    private readonly HookRunner runner = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Told => Path.Combine(folder.FullName, "told");

    /// <summary>Hooks fail while it is there.</summary>
    private string Broken => $"{Told}.broken";

    public void Dispose()
    {
        runner.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Applications_go_on_where_the_process_died_between_its_hooks_and_the_fence()
    {
        await using var scene = await SceneAsync();
        await scene.Live.HoldAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal(["beforeFence forward a1"], await ReadAsync());

        // Its note has not run out: nobody lets applications go beside an owner that still makes them wait, not for an earlier attempt of that side either.
        await scene.Source.ExecuteAsync("update cdc_migrator.fence_state set token = 'earlier', changed_at = clock_timestamp() - interval '1 day'");
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Single(await ReadAsync());

        await scene.Source.ExecuteAsync("update cdc_migrator.fence_state set token = '', held_until = clock_timestamp() - interval '1 ms'");
        await scene.Keeping.TurnAsync(Cancellation);
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["beforeFence forward a1", "onAbort forward a1"], await ReadAsync());
        Assert.Equal("", (await scene.Sides.Source.ReadAsync(Cancellation))!.Held);
    }

    [Fact]
    public async Task A_note_that_ran_out_is_taken_over_by_one_and_its_owner_neither_renews_it_nor_closes_the_side()
    {
        await using var scene = await SceneAsync();
        var (side, lease) = (scene.Sides.Source, TimeSpan.FromMinutes(5));
        Assert.True(await side.Hold.TakeAsync("a1", 2, lease, Cancellation));
        Assert.False(await side.Hold.TakeAsync("a2", 3, lease, Cancellation));
        Assert.True(await side.Hold.RenewAsync("a1", releasing: false, lease, Cancellation));
        Assert.False(await side.Hold.TakeOverAsync("a1", lease, Cancellation));
        Assert.Equal("fence-taken", (await Assert.ThrowsAsync<FaultException>(() => side.CloseAsync("a2", 3, lease, Cancellation))).Fault.Code);

        await scene.RunOutAsync();
        Assert.False(await side.Hold.RenewAsync("a1", releasing: false, lease, Cancellation));
        Assert.True(await side.Hold.TakeOverAsync("a1", lease, Cancellation));
        Assert.False(await side.Hold.TakeOverAsync("a1", lease, Cancellation));
        Assert.False(await side.Hold.RenewAsync("a1", releasing: false, lease, Cancellation));
        Assert.True(await side.Hold.RenewAsync("a1", releasing: true, lease, Cancellation));
        Assert.Equal("fence-taken", (await Assert.ThrowsAsync<FaultException>(() => side.CloseAsync("a1", 2, lease, Cancellation))).Fault.Code);
        Assert.False(await side.Hold.TakeAsync("a2", 3, lease, Cancellation));

        Assert.True(await side.Hold.EndAsync("a1", Cancellation));
        Assert.True(await side.Hold.TakeAsync("a2", 3, lease, Cancellation));
        await side.CloseAsync("a2", 3, lease, Cancellation);
        Assert.Equal((FenceState.Closed, ""), await StateAsync(side));
        Assert.True(await side.UndoAsync("a2", onlyForsaken: false, Cancellation));
    }

    [Fact]
    public async Task An_attempt_that_is_undone_lets_applications_go_itself_and_its_note_is_gone()
    {
        await using var scene = await SceneAsync();
        await scene.Live.HoldAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal((FenceState.Open, "a1"), await StateAsync(scene.Sides.Source));
        await scene.Live.RouteBackAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal((FenceState.Open, ""), await StateAsync(scene.Sides.Source));
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["beforeFence forward a1", "onAbort forward a1"], await ReadAsync());
    }

    [Fact]
    public async Task Applications_of_an_undone_side_are_told_although_the_other_side_is_away_and_not_once_a_later_attempt_has_them()
    {
        await using var scene = await SceneAsync();
        await scene.Sides.Source.CloseAsync("a1", 2, TimeSpan.FromHours(1), Cancellation);
        await scene.Sides.Source.UndoAsync("a1", onlyForsaken: false, Cancellation);
        await scene.AgeAsync();
        await Assert.ThrowsAsync<FaultException>(() => scene.KeepingWithoutTarget().TurnAsync(Cancellation));
        Assert.Equal(["onAbort forward a1"], await ReadAsync());

        // A later attempt makes them wait: the hooks of the earlier one are not run beside it, nor is the migration ended then.
        Assert.True(await scene.Sides.Source.Hold.TakeAsync("a2", 3, TimeSpan.FromHours(1), Cancellation));
        await scene.Live.RouteBackAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal(["onAbort forward a1"], await ReadAsync());
        Assert.False(await scene.Sides.Source.CompleteAsync(FenceState.Open, "a1", "test", Cancellation));
        await scene.Sides.Source.Hold.EndAsync("a2", Cancellation);
        Assert.True(await scene.Sides.Source.CompleteAsync(FenceState.Open, "a1", "test", Cancellation));
    }

    [Fact]
    public async Task A_hook_of_an_abort_that_fails_is_run_again_until_applications_go_on()
    {
        await using var scene = await SceneAsync();
        await scene.Live.HoldAsync(scene.Attempt, _ => { }, Cancellation);
        await File.WriteAllTextAsync(Broken, "", Cancellation);
        await scene.Live.RouteBackAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal((FenceState.Open, "a1"), await StateAsync(scene.Sides.Source));

        await scene.RunOutAsync();
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal((FenceState.Open, "a1"), await StateAsync(scene.Sides.Source));
        Assert.Equal(["beforeFence forward a1"], await ReadAsync());

        File.Delete(Broken);
        await scene.RunOutAsync();
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal((FenceState.Open, ""), await StateAsync(scene.Sides.Source));
        Assert.Equal(["beforeFence forward a1", "onAbort forward a1"], await ReadAsync());
    }

    [Fact]
    public async Task Applications_that_were_not_told_of_an_undone_attempt_are_told_by_another_process_once_that_succeeds()
    {
        await using var scene = await SceneAsync();
        await scene.Sides.Source.CloseAsync("a1", 2, TimeSpan.FromHours(1), Cancellation);
        await scene.Sides.Source.UndoAsync("a1", onlyForsaken: false, Cancellation);
        await File.WriteAllTextAsync(Broken, "", Cancellation);
        await scene.Live.RouteBackAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal("", (await scene.Sides.Source.ReadAsync(Cancellation))!.Routed);

        File.Delete(Broken);
        await scene.AgeAsync();
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["onAbort forward a1"], await ReadAsync());
        Assert.Equal("a1", (await scene.Sides.Source.ReadAsync(Cancellation))!.Routed);
    }

    [Fact]
    public async Task An_attempt_that_makes_applications_wait_is_called_off_by_another_process_closes_nothing_and_lets_them_go()
    {
        await using var scene = await SceneAsync();
        var lease = TimeSpan.FromMinutes(5);
        Assert.Empty(await scene.Sides.CallOffAsync(lease, Cancellation));
        await scene.Live.HoldAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal("a1", Assert.Single(await scene.Sides.CallOffAsync(lease, Cancellation)).Token);
        Assert.False(await scene.Sides.Source.Hold.CallOffAsync("a1", "bob", lease, Cancellation));

        // It sees that at its next renewal; not even one that has not seen it closes the side.
        Assert.Equal("fence-taken", (await Assert.ThrowsAsync<FaultException>(() => scene.Sides.Source.CloseAsync("a1", 2, lease, Cancellation))).Fault.Code);
        var lost = (await Assert.ThrowsAsync<FaultException>(() => scene.Live.CloseAsync(scene.Attempt, lease, Cancellation))).Fault;
        Assert.Equal((FaultKind.NotAllowed, "called-off"), (lost.Kind, lost.Code));
        Assert.Contains($"by {Environment.MachineName}/{Environment.ProcessId}", lost.Message, StringComparison.Ordinal);

        // Its own process lets them go; nobody else beside it while it has time for that.
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["beforeFence forward a1"], await ReadAsync());
        await scene.Live.RouteBackAsync(scene.Attempt, _ => { }, Cancellation);
        Assert.Equal(["beforeFence forward a1", "onAbort forward a1"], await ReadAsync());
        Assert.Equal((FenceState.Open, ""), await StateAsync(scene.Sides.Source));
    }

    [Fact]
    public async Task Where_the_process_of_an_attempt_that_was_called_off_is_gone_another_one_lets_applications_go()
    {
        await using var scene = await SceneAsync();
        Assert.True(await scene.Sides.Source.Hold.TakeAsync("a1", 2, TimeSpan.FromMinutes(5), Cancellation));
        await scene.Sides.CallOffAsync(TimeSpan.FromMilliseconds(-1), Cancellation);
        await scene.Keeping.TurnAsync(Cancellation);
        Assert.Equal(["onAbort forward a1"], await ReadAsync());
        Assert.Equal((FenceState.Open, ""), await StateAsync(scene.Sides.Source));
    }

    private static async Task<(FenceState State, string Held)> StateAsync(FencedSide side)
    {
        var record = await side.ReadAsync(Cancellation);
        return (record!.State, record.Held);
    }

    private async Task<IReadOnlyList<string>> ReadAsync() => await File.ReadAllLinesAsync(Told, Cancellation);

    private Task<HoldScene> SceneAsync()
    {
        var hook = new CommandHook(
            "tell", [.. new[] { "/bin/sh", "-c", "test ! -e \"$FILE.broken\" && echo $CDCM_MOMENT $CDCM_DIRECTION $CDCM_TOKEN >> \"$FILE\"" }.Select(HookText.Plain)],
            new Dictionary<string, HookText> { ["FILE"] = HookText.Plain(Told) }, TimeSpan.FromMinutes(1));
        return HoldScene.CreateAsync(postgres, new RouteSection { BeforeFence = [hook], OnAbort = [hook] }, runner);
    }
}

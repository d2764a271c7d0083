using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Cutover;

/// <summary>One attempt in a world where each answer may be lost, each database be away for a while, and others act meanwhile.</summary>
public sealed class CutoverRunTests
{
    private static readonly CutoverOptions Options = CutoverOptions.Of(new MigrationDefinition
    {
        Name = "m",
        Source = new SourceSection(SourceKind.PostgreSql, "Host=a"),
        Target = new TargetSection("Host=b"),
        Log = new LogSection { TopicPrefix = "m" },
        Tables = [],
    });

    [Fact]
    public async Task An_attempt_goes_through_its_steps_in_order_and_says_what_it_found()
    {
        var (world, report) = await RunAsync(new AttemptWorld());
        Assert.Equal(CutoverPhase.Done, report.Phase);
        Assert.Equal(Enum.GetValues<CutoverStep>(), report.Steps.Select(step => step.Name));
        Assert.Equal((FenceState.Sealed, FenceState.Open), (world.Left, world.Taking));
        Assert.Null(report.Fault);
        Assert.NotNull(report.OutageMs);
    }

    [Fact]
    public async Task The_outage_begins_with_the_first_hook_that_makes_applications_wait()
    {
        Assert.Equal(1000, await OutageAsync(new AttemptWorld()));
        Assert.Equal(4000, await OutageAsync(new AttemptWorld { Hooks = true }));
    }

    [Fact]
    public async Task The_outage_of_a_rehearsal_and_of_an_attempt_that_is_undone_ends_when_its_fence_is_lifted()
    {
        Assert.Equal(1000, await OutageAsync(new AttemptWorld(), rehearsal: true));
        Assert.Equal(4000, await OutageAsync(new AttemptWorld { Hooks = true }, rehearsal: true));
        Assert.Equal(1000, await OutageAsync(new AttemptWorld { Refuses = "prove" }));

        // Another one had lifted it before this process saw that.
        Assert.Equal(400, await OutageAsync(new AttemptWorld { Refuses = "prove", Age = TimeSpan.FromMilliseconds(600) }));
    }

    [Theory]
    [InlineData("prepare")]
    [InlineData("hold")]
    [InlineData("close")]
    public async Task Where_no_side_was_closed_there_was_no_outage(string refuses) => Assert.Null(await OutageAsync(new AttemptWorld { Refuses = refuses }));

    [Fact]
    public async Task A_rehearsal_does_all_but_the_seal_and_leaves_everything_as_it_was()
    {
        var (world, report) = await RunAsync(new AttemptWorld(), rehearsal: true);
        Assert.Equal(CutoverPhase.Rehearsed, report.Phase);
        Assert.Equal([CutoverStep.Prepare, CutoverStep.Hold, CutoverStep.Fence, CutoverStep.Drain, CutoverStep.Prove], report.Steps.Select(step => step.Name));
        Assert.Equal((FenceState.Open, FenceState.Sealed), (world.Left, world.Taking));
        Assert.Equal(["hold", "back"], world.Routed);
    }

    [Theory]
    [InlineData("prepare", CutoverPhase.Refused)]
    [InlineData("hold", CutoverPhase.Undone)]
    [InlineData("drain", CutoverPhase.Undone)]
    [InlineData("prove", CutoverPhase.Undone)]
    public async Task What_fails_before_the_seal_is_undone_and_named(string action, CutoverPhase phase)
    {
        var (world, report) = await RunAsync(new AttemptWorld { Refuses = action });
        Assert.Equal((phase, "refused"), (report.Phase, report.Fault?.Code));
        Assert.Equal((FenceState.Open, FenceState.Sealed), (world.Left, world.Taking));
        Assert.Equal(action != "prepare", world.Routed.Contains("back"));
    }

    [Theory]
    [InlineData(false, "'cdcm lag' and 'cdcm status' show what is slow; then try again")]
    [InlineData(true, "Set offset.flush.interval.ms of the Connect worker to 200, heartbeat.interval.ms of the connector to 200, poll.interval.ms of the connector to 50: what the source's reader has read is confirmed when Connect stores its offsets, "
        + "by default once in 60 s, and that has to fit into cutover.deadlines; then try again")]
    public async Task Where_a_marker_came_and_was_not_confirmed_the_setting_is_named_and_not_who_shows_nothing_of_it(bool seen, string fix)
    {
        var (_, report) = await RunAsync(new AttemptWorld { Drains = new DrainReport(false, seen, false, [], null, 10_000) });
        Assert.Equal((CutoverPhase.Undone, "not-drained", fix), (report.Phase, report.Fault?.Code, report.Fault?.Fix));
    }

    [Theory]
    [InlineData("prepare", CutoverPhase.Refused)]
    [InlineData("hold", CutoverPhase.Undone)]
    [InlineData("close", CutoverPhase.Undone)]
    [InlineData("drain", CutoverPhase.Undone)]
    [InlineData("prove", CutoverPhase.Undone)]
    [InlineData("seal", CutoverPhase.Undone)]
    [InlineData("open", CutoverPhase.Unknown)]
    [InlineData("route", CutoverPhase.Done)]
    public async Task An_error_nobody_named_leaves_no_side_closed_either(string action, CutoverPhase phase)
    {
        var (world, report) = await RunAsync(new AttemptWorld { Breaks = action });
        Assert.Equal((phase, "step-failed"), (report.Phase, report.Fault?.Code));
        Assert.Equal(phase is CutoverPhase.Refused or CutoverPhase.Undone ? FenceState.Open : FenceState.Sealed, world.Left);
        Assert.Equal(phase == CutoverPhase.Undone, world.Routed.Contains("back"));
    }

    [Fact]
    public async Task Of_two_attempts_the_later_one_is_refused_and_touches_nothing()
    {
        var (world, report) = await RunAsync(new AttemptWorld { Left = FenceState.Closed, Owner = "other" });
        Assert.Equal((CutoverPhase.Refused, "fence-taken"), (report.Phase, report.Fault?.Code));
        Assert.Equal((FenceState.Closed, "other"), (world.Left, world.Owner));
    }

    [Theory]
    [InlineData("other", false)]
    [InlineData("mine", true)]
    public async Task Applications_that_another_attempt_makes_wait_are_not_let_go(string held, bool isLetGo)
    {
        var (world, report) = await RunAsync(new AttemptWorld { Held = held, Refuses = "hold" });
        Assert.Equal(CutoverPhase.Undone, report.Phase);
        Assert.Equal(isLetGo, world.Routed.Contains("back"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_seal_whose_answer_is_lost_is_read_from_the_side_that_knows(bool came)
    {
        var (world, report) = await RunAsync(new AttemptWorld { LosesSeal = came ? Lost.Answer : Lost.Request });
        Assert.Equal(came ? CutoverPhase.Done : CutoverPhase.Undone, report.Phase);
        Assert.Equal(came ? (FenceState.Sealed, FenceState.Open) : (FenceState.Open, FenceState.Sealed), (world.Left, world.Taking));
        Assert.Equal(came, world.Routed.Contains("there"));
    }

    [Fact]
    public async Task An_attempt_that_is_called_off_is_undone_wherever_it_stands_before_the_seal_and_goes_on_behind_it()
    {
        foreach (var action in new[] { "prepare", "hold", "close", "drain", "prove", "seal", "open", "route" })
        {
            using var abort = new CancellationTokenSource();
            var world = new AttemptWorld { On = name => { if (name == action) { abort.Cancel(); } } };
            var (_, report) = await RunAsync(world, abort: abort.Token);
            var behind = action is "open" or "route" || (action == "seal" && world.Left == FenceState.Sealed);
            Assert.Equal(behind ? (FenceState.Sealed, FenceState.Open) : (FenceState.Open, FenceState.Sealed), (world.Left, world.Taking));
            Assert.Equal(behind ? CutoverPhase.Done : action == "prepare" ? CutoverPhase.Refused : CutoverPhase.Undone, report.Phase);
            Assert.Equal(behind, world.Routed.Contains("there"));
        }
    }

    [Fact]
    public async Task An_attempt_whose_process_is_asked_to_end_is_undone_before_the_seal_and_opens_behind_it()
    {
        foreach (var action in new[] { "prepare", "hold", "close", "drain", "prove", "seal", "open", "route" })
        {
            using var stop = new CancellationTokenSource();
            var world = new AttemptWorld { On = name => { if (name == action) { stop.Cancel(); } } };
            var report = await new CutoverRun(world, Options, new ShortPauses(), _ => { }).RunAsync(
                new CutoverAttempt("mine", 2, MigrationDirection.Forward, "me", Rehearsal: false), CancellationToken.None, stop.Token);
            var behind = action is "open" or "route";
            Assert.Equal(behind ? (FenceState.Sealed, FenceState.Open) : (FenceState.Open, FenceState.Sealed), (world.Left, world.Taking));
            Assert.Equal(behind ? CutoverPhase.Done : action == "prepare" ? CutoverPhase.Refused : CutoverPhase.Undone, report.Phase);
        }
    }

    [Fact]
    public async Task A_renewal_whose_answer_is_lost_or_does_not_come_is_asked_again_while_the_attempt_works()
    {
        var kept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (world, report) = await RunAsync(new AttemptWorld
        {
            DrainsBehind = kept.Task,
            Renewing = async (n, cancellationToken) =>
            {
                switch (n)
                {
                    case 1:
                        throw new FaultException(FaultKind.Unreachable, "away", "away");
                    case 2:
                        await Task.Delay(Timeout.Infinite, cancellationToken);
                        break;
                    case 4:
                        kept.TrySetResult();
                        break;
                }

                return true;
            },
        }, lease: TimeSpan.FromSeconds(4));
        Assert.Equal(CutoverPhase.Done, report.Phase);
        Assert.Equal((FenceState.Sealed, FenceState.Open), (world.Left, world.Taking));

        // Whoever lifts it needs a look and a lift, and the lease is when writes are allowed again.
        Assert.InRange(world.KeptFor.Count, 5, int.MaxValue);
        Assert.All(world.KeptFor, kept => Assert.Equal(TimeSpan.FromSeconds(2), kept));
    }

    [Fact]
    public async Task An_attempt_that_has_lost_its_side_is_called_off_at_the_next_renewal()
    {
        var (world, report) = await RunAsync(
            new AttemptWorld { DrainsBehind = new TaskCompletionSource().Task, Renewing = (n, _) => n == 1 ? throw new FaultException(FaultKind.Transient, "away", "away") : Task.FromResult(false) },
            lease: TimeSpan.FromSeconds(4));
        Assert.Equal((CutoverPhase.Undone, FaultKind.TimedOut, "lease-lost"), (report.Phase, report.Fault?.Kind, report.Fault?.Code));
        Assert.Equal((FenceState.Open, FenceState.Sealed), (world.Left, world.Taking));
    }

    [Fact]
    public async Task Whatever_is_lost_and_whoever_acts_meanwhile_one_side_is_open_in_the_end_and_the_report_says_which()
    {
        for (var seed = 0; seed < 3000; seed++)
        {
            var world = new AttemptWorld { Chance = new Random(seed), Faults = seed % 7 };
            var (_, report) = await RunAsync(world);
            Assert.True(world.Violation is null, $"seed {seed}: {world.Violation}");
            if (report.Phase == CutoverPhase.Unknown)
            {
                // Not by what went wrong before: a script would take it for undone.
                Assert.Equal(FaultKind.Unreachable, report.Fault!.Kind);

                // Others end it, by what the sides say.
                world.Keep();
            }

            var expected = report.Phase switch
            {
                CutoverPhase.Done => (FenceState.Sealed, FenceState.Open),
                CutoverPhase.Unknown => (world.Left, world.Taking),
                _ => (FenceState.Open, FenceState.Sealed),
            };
            Assert.True(expected == (world.Left, world.Taking), $"seed {seed}: {report.Phase}, but {world.Left} and {world.Taking}; {string.Join(" ", world.Did)}");
            Assert.True((world.Left == FenceState.Open) != (world.Taking == FenceState.Open), $"seed {seed}: {world.Left} and {world.Taking}");
        }
    }

    /// <summary>Of an attempt that takes three seconds to hold, one to drain and nothing else; what comes once the fence is lifted does not count.</summary>
    private static async Task<double?> OutageAsync(AttemptWorld world, bool rehearsal = false)
    {
        var time = new FakeTimeProvider();
        world.On = step => time.Advance(TimeSpan.FromSeconds(step switch { "hold" => 3, "drain" => 1, _ => 0 }));
        return (await new CutoverRun(world, Options, time, _ => { }).RunAsync(new CutoverAttempt("mine", 2, MigrationDirection.Forward, "test", rehearsal), CancellationToken.None, CancellationToken.None)).OutageMs;
    }

    private static async Task<(AttemptWorld World, CutoverReport Report)> RunAsync(AttemptWorld world, bool rehearsal = false, TimeSpan? lease = null, CancellationToken abort = default)
    {
        var run = new CutoverRun(world, lease is { } given ? Options with { Lease = given } : Options, new ShortPauses(), _ => { });
        return (world, await run.RunAsync(new CutoverAttempt("mine", 2, MigrationDirection.Forward, "me", rehearsal), abort, CancellationToken.None));
    }
}

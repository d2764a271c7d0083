using System.Globalization;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Configuration;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.IntegrationTests.Routing;

/// <summary>Hooks that are programs.</summary>
public sealed class CommandTests : IDisposable
{
    private static readonly HookContext Context = new("shop", "t1", 7, MigrationDirection.Forward, new RouteEnd("old", 5432, "a"), new RouteEnd("new", 5433, "b"));
    private readonly HookRunner runner = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => runner.Dispose();

    [Fact]
    public async Task A_program_is_told_where_applications_go_and_success_is_exit_code_zero()
    {
        var run = await RunAsync(Shell("echo $CDCM_MOMENT $CDCM_DIRECTION $CDCM_TO_HOST:$CDCM_TO_PORT/$CDCM_TO_DATABASE $1 $KEY; cat; echo oops >&2", "{{fromHost}} is left", "the key"));
        Assert.Null(run.Code);
        Assert.Equal("exit code 0", run.Result);
        Assert.Equal(["afterOpen forward new:5433/b old is left ***", "oops"], run.Output.Split('\n').Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_failure_is_an_exit_code_and_what_was_printed_is_bounded_and_without_secrets()
    {
        var run = await RunAsync(Shell("yes 'the key' | head -c 1000000; echo $KEY; exit 3", "", "the key"));
        Assert.Equal(("hook-failed", "exit code 3"), (run.Code, run.Result));
        Assert.InRange(run.Output.Length, 100, OutputTail.Length + 10);
        Assert.DoesNotContain("the", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_started_is_said_and_known_before()
    {
        var hook = new CommandHook("gone", [HookText.Plain("/nonexistent/switch")], new Dictionary<string, HookText>(), TimeSpan.FromMinutes(1));
        var run = await RunAsync(hook);
        Assert.Equal("hook-not-started", run.Code);
        Assert.StartsWith("/nonexistent/switch cannot be started: ", run.Result, StringComparison.Ordinal);
        Assert.Equal("Hook 'gone': there is no program /nonexistent/switch that may be run here", (await runner.CheckAsync(hook, Cancellation))!.Message);
        Assert.NotNull(await runner.CheckAsync(hook with { Arguments = [HookText.Plain("/etc/passwd")] }, Cancellation));
        Assert.Null(await runner.CheckAsync(Shell(""), Cancellation));
    }

    /// <summary>A child, and one that left its parents and began a session of its own.</summary>
    [Fact]
    public async Task When_its_time_is_over_all_that_it_started_is_killed()
    {
        // On a machine so slow that it is killed before it has begun, again with more time.
        for (var timeout = TimeSpan.FromSeconds(1); ; timeout *= 2)
        {
            using var family = new Family();
            var run = await RunAsync(Shell(family.Script) with { Timeout = timeout });
            Assert.Equal(("hook-timeout", $"did not end within {Durations.Format(timeout)} and was killed"), (run.Code, run.Result));
            if (family.Ids is { Count: 2 } ids)
            {
                Assert.Equal("begun", run.Output);
                Assert.All(ids, id => Assert.False(Lives(id), $"process {id} lives"));
                return;
            }
        }
    }

    [Fact]
    public async Task When_the_caller_gives_up_all_that_it_started_is_killed()
    {
        using var family = new Family();
        using var caller = new CancellationTokenSource();
        var running = runner.RunAsync(Shell(family.Script) with { Timeout = TimeSpan.FromMinutes(5) }, HookMoment.AfterOpen, Context, caller.Token);
        while (family.Ids.Count < 2)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), Cancellation);
        }

        var ids = family.Ids;
        Assert.All(ids, id => Assert.True(Lives(id)));
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.All(ids, id => Assert.False(Lives(id), $"process {id} lives"));
    }

    [Fact]
    public async Task A_program_left_behind_that_holds_the_output_open_does_not_hold_up_the_answer()
    {
        var run = await RunAsync(Shell("sleep 1000 & echo $!"));
        Assert.Null(run.Code);
        var id = int.Parse(run.Output, CultureInfo.InvariantCulture);
        Assert.True(Lives(id));
        using var left = System.Diagnostics.Process.GetProcessById(id);
        left.Kill();
    }

    private static CommandHook Shell(string script, string argument = "", string key = "k") => new(
        "hook", [HookText.Plain("sh"), HookText.Plain("-c"), HookText.Plain(script), HookText.Plain("sh"), HookText.Plain(argument)],
        new Dictionary<string, HookText> { ["KEY"] = new(key, "${KEY}", [key]) }, TimeSpan.FromMinutes(1));

    /// <summary>A dead process that nobody has collected yet does not live.</summary>
    private static bool Lives(int id)
    {
        try
        {
            return !File.ReadAllText($"/proc/{id}/stat").Split(')')[^1].TrimStart().StartsWith('Z');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private Task<HookRun> RunAsync(CommandHook hook) => runner.RunAsync(hook, HookMoment.AfterOpen, Context, Cancellation);

    /// <summary>A script that starts two others which say who they are.</summary>
    private sealed class Family : IDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("cdcm-hook-").FullName;

        public string Script => $"(setsid sh -c 'echo $$ >{folder}/far; exec sleep 1000' &) ; sh -c 'echo $$ >{folder}/near; exec sleep 1000' & echo begun; wait; sleep 1000";

        public IReadOnlyList<int> Ids =>
        [
            .. Directory.EnumerateFiles(folder).Select(File.ReadAllText).Where(text => text.EndsWith('\n')).Select(text => int.Parse(text, CultureInfo.InvariantCulture)),
        ];

        public void Dispose() => Directory.Delete(folder, recursive: true);
    }
}

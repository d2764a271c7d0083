using System.Net;
using CdcMigrator.Cli;
using CdcMigrator.Cli.Commands;
using CdcMigrator.Cli.Output;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;

namespace CdcMigrator.UnitTests.Cli;

/// <summary>An attempt is looked at until its end, whatever becomes of the process that is asked; the exit code is that of the attempt.</summary>
public sealed class AttemptFollowerTests
{
    private const string Token = "a1";
    private static readonly CutoverStatus Before = Status(null, Side(FenceState.Open, ""), Side(FenceState.Sealed, ""));
    private static readonly CutoverStatus Running = Status(CutoverPhase.Running, Side(FenceState.Open, ""), Side(FenceState.Sealed, ""));
    private static readonly CutoverStatus Done = Status(CutoverPhase.Done, Side(FenceState.Sealed, Token), Side(FenceState.Open, Token));

    [Fact]
    public async Task Looks_that_fail_are_made_again_and_people_are_told_once()
    {
        var looks = 0;
        await using var service = new StubService(request => request switch
        {
            "POST /api/cutover/start" => StubService.Ok(Running),
            "GET /api/cutover" => looks++ switch
            {
                0 => StubService.Ok(Before),
                1 => null,
                2 => (HttpStatusCode.ServiceUnavailable, "<html>no backend</html>"),
                3 => StubService.Ok(Running),
                4 => (HttpStatusCode.ServiceUnavailable, StubService.Ok(FaultReport.Of(new Fault(FaultKind.Unreachable, "source-away", "the source is away"))).Body),
                _ => StubService.Ok(Done),
            },
            _ => throw new InvalidOperationException(request),
        });
        var run = await StartAsync(service);
        Assert.Equal((0, 6), (run.ExitCode, looks));
        Assert.Single(run.Error.Split('\n'), line => line.StartsWith("the service does not say how the attempt stands (", StringComparison.Ordinal)
            && line.EndsWith("it goes on by itself, and is looked for again for 60 s", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(CutoverPhase.Done, "", 0)]
    [InlineData(CutoverPhase.Undone, "not-equal", 3)]
    [InlineData(CutoverPhase.Refused, "gate-closed", 3)]
    [InlineData(CutoverPhase.Undone, "called-off", 6)]
    public async Task Another_process_answers_with_the_report_in_the_journal(CutoverPhase phase, string fault, int exitCode)
    {
        var report = new CutoverReport
        {
            Attempt = new CutoverAttempt(Token, 2, MigrationDirection.Forward, "ann", Rehearsal: false),
            Phase = phase,
            OutageMs = 321,
            Fault = fault.Length > 0 ? new Fault(FaultKind.NotAllowed, fault, "so it was") : null,
        };
        var run = await RestartedAsync(Before with { Attempt = "another" }, StubService.Ok(new CutoverEvidence
        {
            Migration = "shop",
            At = DateTimeOffset.UnixEpoch,
            Left = "source",
            Taking = "target",
            LeftServer = "",
            TakingServer = "",
            PredictedMs = null,
            Predicted = [],
            Waived = [],
            Report = report,
            Checks = [],
        }));
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains($"\"attempt\": \"{Token}\"", run.Output, StringComparison.Ordinal);
        Assert.Contains("\"writeOutageMs\": 321", run.Output, StringComparison.Ordinal);
        Assert.Contains("another one says what the databases show", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_report_the_sides_say_that_it_is_done()
    {
        var run = await RestartedAsync(Status(null, Side(FenceState.Sealed, Token), Side(FenceState.Open, Token)));
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("\"phase\": \"Done\"", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_report_a_fence_that_was_lifted_is_an_attempt_undone_and_one_that_is_not_yet_is_waited_for()
    {
        var held = Side(FenceState.Open, "") with { Held = Token };
        var run = await RestartedAsync(
            [
                Status(null, held, Side(FenceState.Sealed, "")), Status(null, Side(FenceState.Closed, Token), Side(FenceState.Sealed, "")), Status(null, Side(FenceState.Sealed, Token), Side(FenceState.Sealed, "")),
                Status(null, Side(FenceState.Open, Token), Side(FenceState.Sealed, "")),
            ]);
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("\"phase\": \"Undone\"", run.Output, StringComparison.Ordinal);
        Assert.Contains(AttemptFollower.Undone, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_is_heard_for_so_long_the_fault_names_who_knows()
    {
        var service = new StubService(_ => null);
        var silent = await FaultAsync(service);
        Assert.Equal((FaultKind.Unreachable, "attempt-out-of-sight"), (silent.Kind, silent.Code));
        Assert.Contains("'cdcm cutover status' shows how it ended", silent.Fix, StringComparison.Ordinal);
        await service.DisposeAsync();
        var refused = await FaultAsync(service);
        Assert.Equal("attempt-out-of-sight", refused.Code);
        Assert.Contains("goes on by itself: no cdcm service answers", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>It may be prepared by another process that lives: nobody may take it for over.</summary>
    [Fact]
    public async Task An_attempt_without_a_trace_is_neither_done_nor_undone()
    {
        await using var service = new StubService(request => request == "GET /api/cutover" ? StubService.Ok(Before) : NoEvidence);
        var fault = await FaultAsync(service);
        Assert.Equal((FaultKind.Unreachable, "attempt-not-known"), (fault.Kind, fault.Code));
        Assert.Contains("'cdcm cutover status'", fault.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_the_answer_to_the_request_is_lost_it_is_said_that_the_attempt_may_have_begun()
    {
        await using var service = new StubService(request => request == "GET /api/cutover" ? StubService.Ok(Before) : null);
        var run = await StartAsync(service);
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("fix: Where the answer was lost, the attempt may have begun: 'cdcm cutover status' shows it", run.Error, StringComparison.Ordinal);
    }

    private static (HttpStatusCode, string) NoEvidence => (HttpStatusCode.Conflict, StubService.Ok(FaultReport.Of(new Fault(FaultKind.NotAllowed, "no-evidence", "not known"))).Body);

    private static Task<CliRun> RestartedAsync(CutoverStatus then, (HttpStatusCode, string)? evidence = null) => RestartedAsync([then], evidence);

    /// <summary>The process that took the request is gone at the first look; what another one answers from then on.</summary>
    private static async Task<CliRun> RestartedAsync(IReadOnlyList<CutoverStatus> then, (HttpStatusCode, string)? evidence = null)
    {
        var looks = 0;
        await using var service = new StubService(request => request switch
        {
            "POST /api/cutover/start" => StubService.Ok(Running),
            "GET /api/cutover" => looks++ switch
            {
                0 => StubService.Ok(Before),
                1 => null,
                _ => StubService.Ok(then[Math.Min(looks - 3, then.Count - 1)]),
            },
            $"GET /api/cutover/evidence?attempt={Token}" => evidence ?? NoEvidence,
            _ => throw new InvalidOperationException(request),
        });
        return await StartAsync(service);
    }

    private static Task<CliRun> StartAsync(StubService service) => CliRun.Of("cutover", "start", "--yes", "-o", "json", "--server", service.Address.ToString());

    private static async Task<Fault> FaultAsync(StubService service)
    {
        using var client = new ServiceClient(service.Address, TimeSpan.FromMinutes(1));
        var follower = new AttemptFollower(client, Running, TimeSpan.Zero, new Terminal(TextWriter.Null, TextWriter.Null, isInteractive: false));
        return (await Assert.ThrowsAsync<FaultException>(() => follower.UntilOverAsync(_ => { }, TestContext.Current.CancellationToken))).Fault;
    }

    private static CutoverSide Side(FenceState state, string attempt) => new(state, 2, attempt, null);

    private static CutoverStatus Status(CutoverPhase? phase, CutoverSide source, CutoverSide target) => new()
    {
        Migration = "shop",
        Source = source,
        Target = target,
        Phase = phase,
        Direction = phase is null ? null : MigrationDirection.Forward,
        Actor = phase is null ? null : "ann",
        Attempt = phase is null ? null : Token,
        Step = null,
        Steps = [],
        WriteOutageMs = null,
        PredictedMs = null,
        Predicted = [],
        Sequences = [],
        Fault = null,
        WayBack = null,
        NextSteps = [],
    };
}

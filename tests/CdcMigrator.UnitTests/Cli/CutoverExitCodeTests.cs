using CdcMigrator.Cli.Commands;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;

namespace CdcMigrator.UnitTests.Cli;

/// <summary>What a script learns of an attempt by its exit code (docs/cli.md).</summary>
public sealed class CutoverExitCodeTests
{
    [Theory]
    [InlineData(CutoverPhase.Done, null, null, ExitCode.Done)]
    [InlineData(CutoverPhase.Done, FaultKind.Unreachable, "hook-failed", ExitCode.Done)]
    [InlineData(CutoverPhase.Rehearsed, null, null, ExitCode.Done)]
    [InlineData(CutoverPhase.Refused, FaultKind.NotAllowed, "gate-closed", ExitCode.Negative)]
    [InlineData(CutoverPhase.Refused, FaultKind.NotAllowed, "over-budget", ExitCode.Negative)]
    [InlineData(CutoverPhase.Undone, FaultKind.NotAllowed, "not-equal", ExitCode.Negative)]
    [InlineData(CutoverPhase.Undone, FaultKind.TimedOut, "not-drained", ExitCode.TimedOut)]
    [InlineData(CutoverPhase.Undone, FaultKind.NotAllowed, "source-changed", ExitCode.NotAllowed)]
    [InlineData(CutoverPhase.Undone, FaultKind.Unreachable, "unreachable", ExitCode.Unreachable)]
    [InlineData(CutoverPhase.Undone, FaultKind.Internal, "step-failed", ExitCode.Internal)]
    [InlineData(CutoverPhase.Unknown, FaultKind.TimedOut, "step-timeout", ExitCode.Unreachable)]
    [InlineData(CutoverPhase.Unknown, FaultKind.NotAllowed, "called-off", ExitCode.Unreachable)]
    [InlineData(CutoverPhase.Unknown, FaultKind.NotAllowed, "not-equal", ExitCode.Unreachable)]
    public void Each_end_of_an_attempt_has_the_exit_code_of_the_documents(CutoverPhase phase, FaultKind? kind, string? code, ExitCode expected)
    {
        var report = new CutoverReport
        {
            Attempt = new CutoverAttempt("a", 2, MigrationDirection.Forward, "ann", Rehearsal: false),
            Phase = phase,
            Fault = kind is { } known ? new Fault(known, code!, "message") : null,
        };
        Assert.Equal(expected, CutoverCommand.CodeOf(CutoverStatus.Of("m", null, null, report, null, null)));
    }

    [Fact]
    public void A_side_that_is_away_is_named_and_what_may_be_done_without_it()
    {
        var status = CutoverStatus.Of("m", null, null, null, null, null, new Fault(FaultKind.Unreachable, "unreachable", "The source does not answer: no route"));
        Assert.Equal("The source does not answer: no route", status.Away?.Message);
        Assert.Contains("cdcm cutover sql", Assert.Single(status.NextSteps), StringComparison.Ordinal);
    }
}

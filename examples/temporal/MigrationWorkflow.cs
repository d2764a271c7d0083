using System.Diagnostics;
using System.Text.Json;
using Temporalio.Activities;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Examples.Temporal;

/// <summary>
/// A migration from preflight to its end as a Temporal workflow (package Temporalio). The service ("cdcm run -f FILE") runs on its own: activities run cdcm's commands, and judge by exit code
/// and JSON. Two people's decisions are signals; the way back is one too, as long as the migration is not over.
/// </summary>
[Workflow]
public sealed class MigrationWorkflow
{
    private static readonly ActivityOptions Once = new() { StartToCloseTimeout = TimeSpan.FromMinutes(30), RetryPolicy = new RetryPolicy { MaximumAttempts = 1 } };
    private static readonly ActivityOptions Repeated = new() { StartToCloseTimeout = TimeSpan.FromHours(12), RetryPolicy = new RetryPolicy { MaximumAttempts = 20 } };
    private bool cutover;
    private bool rollback;
    private bool complete;

    /// <summary>Somebody wants the target to take over.</summary>
    [WorkflowSignal]
    public Task CutoverAsync()
    {
        cutover = true;
        return Task.CompletedTask;
    }

    /// <summary>Somebody wants to go back.</summary>
    [WorkflowSignal]
    public Task RollbackAsync()
    {
        rollback = true;
        return Task.CompletedTask;
    }

    /// <summary>Nobody wants to go back any more.</summary>
    [WorkflowSignal]
    public Task CompleteAsync()
    {
        complete = true;
        return Task.CompletedTask;
    }

    /// <summary>Returns which side takes writes in the end.</summary>
    [WorkflowRun]
    public async Task<string> RunAsync(string file)
    {
        await RunAsync(Repeated, "preflight", "-f", file);
        await RunAsync(Repeated, "cutover", "prepare");
        await RunAsync(Repeated, "verify", "start", "--wait", "--timeout", "11h");
        await Workflow.WaitConditionAsync(() => cutover);
        while (await Workflow.ExecuteActivityAsync((CdcmActivities cdcm) => cdcm.RunAsync(new[] { "cutover", "check" }, new[] { 0, 3 }), Repeated) != 0)
        {
            await Workflow.DelayAsync(TimeSpan.FromSeconds(30));
        }

        await RunAsync(Once, "rehearse", "--yes");
        await Workflow.ExecuteActivityAsync((CdcmActivities cdcm) => cdcm.SwitchAsync(true), Once);
        while (!rollback && !complete)
        {
            // 3: something is wrong; whoever watches this workflow sees it in the activity's log, the way back stays open.
            await Workflow.ExecuteActivityAsync((CdcmActivities cdcm) => cdcm.RunAsync(new[] { "diagnose", "-f", file }, new[] { 0, 3 }), Repeated);
            await Workflow.WaitConditionAsync(() => rollback || complete, TimeSpan.FromMinutes(5));
        }

        if (rollback)
        {
            await Workflow.ExecuteActivityAsync((CdcmActivities cdcm) => cdcm.SwitchAsync(false), Once);
            return "source";
        }

        await RunAsync(Repeated, "cutover", "complete", "--yes");
        return "target";
    }

    private static Task<int> RunAsync(ActivityOptions options, params string[] arguments) =>
        Workflow.ExecuteActivityAsync((CdcmActivities cdcm) => cdcm.RunAsync(arguments, new[] { 0 }), options);
}

/// <summary>Runs cdcm; CDCM_SERVER is the service's address. Every command may be repeated.</summary>
/// <param name="program">Path of cdcm.</param>
public sealed class CdcmActivities(string program = "cdcm")
{
    private const int Usage = 2;
    private const int NotAllowed = 6;

    /// <summary>Runs a command; an exit code that is not expected fails the activity, for good where repeating it cannot help.</summary>
    [Activity]
    public async Task<int> RunAsync(string[] arguments, int[] expected)
    {
        var (code, _, error) = await ExecuteAsync(arguments);
        return expected.Contains(code) ? code
            : throw new ApplicationFailureException($"cdcm {string.Join(' ', arguments)} ended with {code}: {error}", $"exit-{code}", nonRetryable: code is Usage or NotAllowed);
    }

    /// <summary>Changes sides unless that is done. Whoever lost sight of an attempt looks which side takes writes, and does not guess.</summary>
    [Activity]
    public async Task SwitchAsync(bool toTarget)
    {
        if (await TargetIsOpenAsync() == toTarget)
        {
            return;
        }

        var (code, _, error) = await ExecuteAsync(toTarget ? ["cutover", "start", "--yes"] : ["rollback", "--yes"]);
        for (var look = 0; code != 0; look++)
        {
            var open = await TargetIsOpenAsync();
            if (open == toTarget)
            {
                return;
            }

            if (open is not null || look > 300)
            {
                throw new ApplicationFailureException($"The attempt was refused or undone (exit code {code}): {error}", $"exit-{code}", nonRetryable: true);
            }

            await Task.Delay(TimeSpan.FromSeconds(1), ActivityExecutionContext.Current.CancellationToken);
        }
    }

    /// <summary>Null while neither side, or more than one, is known to take writes.</summary>
    private async Task<bool?> TargetIsOpenAsync()
    {
        var (code, output, _) = await ExecuteAsync(["cutover", "status"]);
        if (code != 0)
        {
            return null;
        }

        using var status = JsonDocument.Parse(output);
        return (StateOf(status, "source"), StateOf(status, "target")) switch
        {
            ("Open", "Sealed") => false,
            ("Sealed", "Open") => true,
            _ => null,
        };
    }

    private static string? StateOf(JsonDocument status, string side) =>
        status.RootElement.GetProperty(side) is { ValueKind: JsonValueKind.Object } found ? found.GetProperty("state").GetString() : null;

    private async Task<(int Code, string Output, string Error)> ExecuteAsync(string[] arguments)
    {
        var start = new ProcessStartInfo(program, [.. arguments, "-o", "json"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}

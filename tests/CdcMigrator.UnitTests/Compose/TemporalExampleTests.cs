using System.Diagnostics;
using Examples.Temporal;
using Temporalio.Activities;
using Temporalio.Exceptions;
using Temporalio.Testing;
using Temporalio.Workflows;

namespace CdcMigrator.UnitTests.Compose;

/// <summary>The example for Temporal: its workflow is one, and its activities do the right thing by what a cdcm answers that only answers.</summary>
public sealed class TemporalExampleTests : IDisposable
{
    private const string OnSource = """{"source":{"state":"Open"},"target":{"state":"Sealed"}}""";
    private const string Between = """{"source":{"state":"Sealed"},"target":{"state":"Sealed"}}""";
    private const string OnTarget = """{"source":{"state":"Sealed"},"target":{"state":"Open"}}""";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cdcm-temporal");
    private readonly CdcmActivities activities;
    private readonly ActivityEnvironment environment = new();

    public TemporalExampleTests()
    {
        // Each call takes the next answer of its verb; the last one stays.
        var program = Path.Combine(folder.FullName, "cdcm");
        File.WriteAllText(program, $$"""
            #!/bin/sh
            cd '{{folder.FullName}}'
            echo "$*" >> calls
            verb=$(echo "$*" | sed 's/ -o json$//; s/ /-/g')
            n=$(cat "$verb.n" 2>/dev/null || echo 1)
            test -e "$verb.$((n + 1))" && echo $((n + 1)) > "$verb.n"
            code=$(head -n 1 "$verb.$n")
            tail -n +2 "$verb.$n"
            test "$code" = 0 || echo "error: as told" >&2
            exit "$code"
            """);
        Process.Start("chmod", ["+x", program]).WaitForExit();
        activities = new CdcmActivities(program);
    }

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void The_workflow_and_its_activities_can_be_registered()
    {
        Assert.Equal(nameof(MigrationWorkflow), WorkflowDefinition.Create<MigrationWorkflow>().Name);
        Assert.Equal(["Run", "Switch"], ActivityDefinition.CreateAll(activities).Select(activity => activity.Name!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_exit_code_that_is_not_expected_fails_and_where_repeating_cannot_help_for_good()
    {
        Answer("cutover check", (3, """{"open":false}"""), (4, ""), (2, ""));
        Assert.Equal(3, await RunAsync("cutover", "check"));
        Assert.False((await Assert.ThrowsAsync<ApplicationFailureException>(() => RunAsync("cutover", "check"))).NonRetryable);
        var wrong = await Assert.ThrowsAsync<ApplicationFailureException>(() => RunAsync("cutover", "check"));
        Assert.True(wrong.NonRetryable);
        Assert.Contains("as told", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_side_that_takes_writes_already_is_not_switched_to_again()
    {
        Answer("cutover status", (0, OnTarget));
        await SwitchAsync(toTarget: true);
        Assert.Equal(["cutover status -o json"], Calls());
    }

    [Theory]
    [InlineData(4, OnTarget, true)]
    [InlineData(5, OnSource, false)]
    [InlineData(3, OnSource, false)]
    [InlineData(6, OnSource, false)]
    public async Task An_attempt_that_was_lost_sight_of_is_looked_at_and_not_begun_again(int code, string after, bool there)
    {
        Answer("cutover status", (0, OnSource), (4, ""), (0, Between), (0, after));
        Answer("cutover start --yes", (code, ""));
        var failure = await Record.ExceptionAsync(() => SwitchAsync(toTarget: true));
        Assert.Equal(there, failure is null);
        Assert.True(there || failure is ApplicationFailureException { NonRetryable: true });
        Assert.Single(Calls(), call => call.StartsWith("cutover start", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_way_back_is_another_command()
    {
        Answer("cutover status", (0, OnTarget));
        Answer("rollback --yes", (0, ""));
        await SwitchAsync(toTarget: false);
        Assert.Equal("rollback --yes -o json", Calls()[^1]);
    }

    private Task<int> RunAsync(params string[] arguments) => environment.RunAsync(() => activities.RunAsync(arguments, [0, 3]));

    private Task SwitchAsync(bool toTarget) => environment.RunAsync(() => activities.SwitchAsync(toTarget));

    private string[] Calls() => File.ReadAllLines(Path.Combine(folder.FullName, "calls"));

    private void Answer(string verb, params (int Code, string Output)[] answers)
    {
        foreach (var (index, (code, output)) in answers.Index())
        {
            File.WriteAllText(Path.Combine(folder.FullName, $"{verb.Replace(' ', '-')}.{index + 1}"), $"{code}\n{output}\n");
        }
    }
}

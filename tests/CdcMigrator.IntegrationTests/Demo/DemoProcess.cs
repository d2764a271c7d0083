using System.Text.Json;
using System.Text.RegularExpressions;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.IntegrationTests.Demo;

/// <summary>A demo in a process of its own, as a user runs it.</summary>
internal sealed partial class DemoProcess : IAsyncDisposable
{
    private readonly ProcessRun run;

    private DemoProcess(ProcessRun run) => this.run = run;

    public ProcessRun Run => run;

    public static DemoProcess Start(params string[] arguments) => new(Cdcm.Start(["demo", "-o", "json", .. arguments]));

    /// <summary>Waits until the demo has said where it works; null if it ended before.</summary>
    public async Task<string?> FolderAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (Folder().Match(run.Error) is { Success: true } match)
            {
                return match.Groups[1].Value;
            }

            if (run.HasExited)
            {
                return null;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }
    }

    /// <summary>Waits for a line of a step.</summary>
    public async Task WaitForAsync(string text, CancellationToken cancellationToken)
    {
        while (!run.Error.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(run.HasExited, $"ended before '{text}':\n{run.Error}{run.Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }
    }

    /// <summary>Waits for the end and reads standard output as one JSON object.</summary>
    public async Task<(int ExitCode, JsonElement Report)> ReportAsync(CancellationToken cancellationToken)
    {
        var result = await run.WaitAsync(cancellationToken);
        Assert.True(result.Output.StartsWith('{'), $"exit code {result.ExitCode}\n{result.Error}{result.Output}");
        using var json = JsonDocument.Parse(result.Output);
        return (result.ExitCode, json.RootElement.Clone());
    }

    public async ValueTask DisposeAsync()
    {
        if (!run.HasExited)
        {
            // Not a kill: the demo ends its servers and its service first.
            await run.SignalAsync("TERM");
            await run.WaitAsync();
        }

        await run.DisposeAsync();
    }

    [GeneratedRegex(@"folder: (\S+)")]
    private static partial Regex Folder();
}

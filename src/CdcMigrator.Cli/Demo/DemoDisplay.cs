using CdcMigrator.Cli.Output;
using Spectre.Console;

namespace CdcMigrator.Cli.Demo;

/// <summary>What a demo shows while it works, on standard error: a line for each step and, to a person, what happens right now.</summary>
internal sealed class DemoDisplay(Terminal terminal, bool live)
{
    private readonly List<DemoStep> steps = [];
    private StatusContext? status;

    /// <summary>What was done so far.</summary>
    public IReadOnlyList<DemoStep> Steps => steps;

    /// <summary>Runs the demo under the live line where there is one.</summary>
    public Task RunAsync(Func<Task> work)
    {
        if (!live)
        {
            return work();
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal.Error) });
        return console.Status().Spinner(Spinner.Known.Dots).StartAsync("starting", context =>
        {
            status = context;
            return work();
        });
    }

    /// <summary>Says what happens right now.</summary>
    public void Now(string text)
    {
        if (status is not null)
        {
            status.Status = Markup.Escape(text);
        }
    }

    /// <summary>Runs one step and tells of it when it is done.</summary>
    public async Task StepAsync(string name, Func<Task<string>> work)
    {
        Now(name);
        var started = TimeProvider.System.GetTimestamp();
        var detail = await work();
        var took = TimeProvider.System.GetElapsedTime(started);
        steps.Add(new DemoStep(name, detail, Math.Round(took.TotalMilliseconds, 1)));
        terminal.Line($"{Time(took),9}  [bold]{Markup.Escape(name),-9}[/] {Markup.Escape(detail)}");
    }

    /// <summary>A step somebody else did.</summary>
    public void Done(string name, string detail, double ms)
    {
        steps.Add(new DemoStep(name, detail, ms));
        terminal.Line($"{Time(TimeSpan.FromMilliseconds(ms)),9}  [bold]{Markup.Escape(name),-9}[/] {Markup.Escape(detail)}");
    }

    /// <summary>A line beside the steps.</summary>
    public void Say(string text) => terminal.Line($"           {Markup.Escape(text)}");

    private static string Time(TimeSpan time) => time.TotalSeconds < 10 ? $"{time.TotalMilliseconds:N0} ms" : $"{time.TotalSeconds:N1} s";
}

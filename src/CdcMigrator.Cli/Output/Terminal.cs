using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CdcMigrator.Cli.Output;

/// <summary>Where a verb writes: JSON and documents to standard output, everything else to standard error.</summary>
internal sealed class Terminal(TextWriter output, TextWriter error, bool isInteractive, TextReader? input = null)
{
    private const int WidthOfPipes = 200;
    private IAnsiConsole? console;

    public TextWriter Out { get; } = output;

    public TextWriter Error { get; } = error;

    /// <summary>Whether a person watches standard error.</summary>
    public bool IsInteractive { get; } = isInteractive;

    private IAnsiConsole Console => console ?? throw new InvalidOperationException("not configured");

    /// <summary>The process's own streams.</summary>
    public static Terminal OfProcess() => new(
        System.Console.Out, System.Console.Error, !System.Console.IsErrorRedirected, System.Console.IsInputRedirected ? null : System.Console.In);

    /// <summary>Decides on colours; to be called once, before anything is shown.</summary>
    public void Configure(bool noColor)
    {
        var plain = noColor || !IsInteractive;
        console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Error),
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = IsInteractive ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!IsInteractive)
        {
            console.Profile.Width = WidthOfPipes;
        }
    }

    /// <summary>Shows a table or the like.</summary>
    public void Show(IRenderable content) => Console.Write(content);

    /// <summary>One line with markup.</summary>
    public void Line(string markup = "") => Console.MarkupLine(markup);

    /// <summary>Asks a person for a text to confirm with. Null where nobody is there to answer.</summary>
    public string? Ask(string question)
    {
        if (!IsInteractive || input is null)
        {
            return null;
        }

        Error.Write(question);
        return input.ReadLine()?.Trim() ?? "";
    }

    /// <summary>Starts the screen over where a person watches.</summary>
    public void Clear()
    {
        if (IsInteractive)
        {
            Console.Clear(home: true);
        }
    }

    /// <summary>Writes an answer for scripts.</summary>
    public void Json<T>(T value) => Out.WriteLine(JsonSerializer.Serialize(value, ApiJson.Options));

    /// <summary>Writes an answer in somebody else's form.</summary>
    public void Json<T>(T value, JsonSerializerOptions options) => Out.WriteLine(JsonSerializer.Serialize(value, options));

    /// <summary>A fault, in the form in which every fault is shown.</summary>
    public void Fault(Fault fault)
    {
        var place = new Fault(fault.Kind, fault.Code, "") { Lane = fault.Lane, Offset = fault.Offset, Table = fault.Table, Key = fault.Key }.ToString().Trim();
        Fault(place.Length == 0 ? fault.Message : $"{fault.Message} {place}", fault.Fix);
    }

    /// <summary>What is wrong, and what to do.</summary>
    public void Fault(string message, string fix)
    {
        Console.Markup("[red]error:[/] ");
        Error.WriteLine(message);
        if (fix.Length > 0)
        {
            Console.Markup("[yellow]fix:[/] ");
            Error.WriteLine(fix);
        }
    }
}

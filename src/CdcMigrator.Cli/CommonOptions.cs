using System.CommandLine;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Cli;

/// <summary>Options every verb takes.</summary>
internal sealed class CommonOptions(Func<string, string?> environment)
{
    public const string DefaultServer = "http://127.0.0.1:8080";

    public Option<OutputFormat> Output { get; } = new("--output", "-o")
    {
        Description = "table for people, json for scripts (on standard output; all else goes to standard error)",
        HelpName = "table|json",
        Recursive = true,
        DefaultValueFactory = _ => OutputFormat.Table,
    };

    public Option<Uri> Server { get; } = new("--server")
    {
        Description = $"Address of the service; also CDCM_SERVER (default {DefaultServer})",
        HelpName = "url",
        Recursive = true,
        DefaultValueFactory = result =>
        {
            var text = environment("CDCM_SERVER") is { Length: > 0 } chosen ? chosen : DefaultServer;
            if (TryUrl(text, out var url))
            {
                return url;
            }

            result.AddError($"CDCM_SERVER is '{text}', which is not an http address like {DefaultServer}");
            return new Uri(DefaultServer);
        },
        CustomParser = result =>
        {
            if (TryUrl(result.Tokens[0].Value, out var url))
            {
                return url;
            }

            result.AddError($"--server is '{result.Tokens[0].Value}', which is not an http address like {DefaultServer}");
            return null;
        },
    };

    public Option<TimeSpan> Timeout { get; } = new("--timeout")
    {
        Description = "Longest wait: 200ms, 30s, 5m (default 30s)",
        HelpName = "duration",
        Recursive = true,
        DefaultValueFactory = _ => TimeSpan.FromSeconds(30),
        CustomParser = result =>
        {
            if (Durations.TryParse(result.Tokens[0].Value, out var value) && value > TimeSpan.Zero)
            {
                return value;
            }

            result.AddError($"--timeout is '{result.Tokens[0].Value}' but must be {Durations.Form}");
            return default;
        },
    };

    public Option<bool> Verbose { get; } = new("--verbose", "-v") { Description = "Show details of errors", Recursive = true };

    public Option<bool> NoColor { get; } = new("--no-color") { Description = "No colours; also NO_COLOR", Recursive = true };

    public void AddTo(RootCommand root)
    {
        Output.AcceptOnlyFromAmong("table", "json");
        root.Options.Add(Output);
        root.Options.Add(Server);
        root.Options.Add(Timeout);
        root.Options.Add(Verbose);
        root.Options.Add(NoColor);
    }

    /// <summary>The option that names a migration file; each verb has its own.</summary>
    public static Option<string> File() => new("--file", "-f") { Description = "Migration file (docs/configuration.md)", HelpName = "file", Required = true };

    private static bool TryUrl(string text, out Uri url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url!) && url.Scheme is "http" or "https";
}

using System.CommandLine;
using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Auditing;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Cli.Commands;

/// <summary>The options that say how an audit reads, for the verbs that make one, and its progress on standard error.</summary>
internal sealed class AuditReading
{
    private static readonly AuditOptions Defaults = new();

    private readonly Option<string> sample = new("--sample")
    {
        Description = "Part of each table to read: auto (all of a table of up to 20 million rows, about so many of a larger one), none (all of every table) or a part like 5%",
        HelpName = "auto|none|N%",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<TimeSpan> limit = new("--limit")
    {
        Description = "Longest time one statement may take on the source (default 10m); a table that takes longer is left out, which is a finding",
        HelpName = "duration",
        DefaultValueFactory = _ => Defaults.StatementTimeout,
        CustomParser = result =>
        {
            if (Durations.TryParse(result.Tokens[0].Value, out var value) && value > TimeSpan.Zero)
            {
                return value;
            }

            result.AddError($"--limit is '{result.Tokens[0].Value}' but must be {Durations.Form}");
            return default;
        },
    };

    private readonly Option<int> jobs = new("--jobs") { Description = "Tables read at the same time (default 2)", HelpName = "number", DefaultValueFactory = _ => Defaults.TablesAtOnce };

    private readonly Option<TimeSpan> window = new("--rate-window")
    {
        Description = "Least time over which the present rate of writes is measured (default 5s); 0s takes as long as the reading takes",
        HelpName = "duration",
        DefaultValueFactory = _ => TimeSpan.FromSeconds(5),
        CustomParser = result =>
        {
            if (Durations.TryParse(result.Tokens[0].Value, out var value) && value >= TimeSpan.Zero && value <= TimeSpan.FromHours(24))
            {
                return value;
            }

            result.AddError($"--rate-window is '{result.Tokens[0].Value}' but must be {Durations.Form}");
            return default;
        },
    };

    public AuditReading()
    {
        sample.Validators.Add(result =>
        {
            if (Percent(result.GetValue(sample)) is null)
            {
                result.AddError($"--sample is '{result.GetValue(sample)}' but must be auto, none or a part like 5%");
            }
        });
        jobs.Validators.Add(result =>
        {
            if (result.GetValue(jobs) is < 1 or > 16)
            {
                result.AddError("--jobs must be from 1 to 16");
            }
        });
    }

    public void AddTo(Command command)
    {
        command.Options.Add(sample);
        command.Options.Add(limit);
        command.Options.Add(jobs);
        command.Options.Add(window);
    }

    /// <summary>Makes the audit.</summary>
    public Task<AuditReport> RunAsync(Invocation call, MigrationDefinition definition)
    {
        var percent = Percent(call.Value(sample))!.Value;
        var options = new AuditOptions { SamplePercent = percent < 0 ? null : percent, StatementTimeout = call.Value(limit), TablesAtOnce = call.Value(jobs), RateWindow = call.Value(window) };
        var errors = TextWriter.Synchronized(call.Terminal.Error);
        return MigrationAudit.RunAsync(
            definition, options,
            done => errors.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"audited {done.What}{(done.Rows is { } rows ? $": {rows:N0} rows in {done.Seconds:0.0} s" : "")} ({done.Done} of {done.Of} tables)")),
            call.Cancellation);
    }

    /// <summary>100 for all, negative for what fits the table; null where the text is neither.</summary>
    private static double? Percent(string? text) => text switch
    {
        "auto" => -1,
        "none" => 100,
        _ when text?.EndsWith('%') == true && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent is > 0 and <= 100 => percent,
        _ => null,
    };
}

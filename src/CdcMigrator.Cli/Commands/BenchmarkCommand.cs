using System.CommandLine;
using System.Globalization;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Benchmarking;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm benchmark</c>.</summary>
internal static class BenchmarkCommand
{
    public static Command Create(CommandContext context)
    {
        var file = CommonOptions.File();
        var names = new Argument<string[]>("names") { Description = "Benchmarks of the file; all where none is named", Arity = ArgumentArity.ZeroOrMore };
        var top = new Option<int?>("--top") { Description = "Take the source's busiest statements instead (pg_stat_statements); those that cannot be run are named with the reason", HelpName = "number" };
        var runs = new Option<int>("--runs") { Description = $"Runs on each side of each of these statements (default {Benchmark.DefaultRuns})", HelpName = "number", DefaultValueFactory = _ => Benchmark.DefaultRuns };
        var limit = new Option<TimeSpan>("--limit")
        {
            Description = "Longest time of one query (default 30s)",
            HelpName = "duration",
            DefaultValueFactory = _ => TimeSpan.FromSeconds(30),
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
        foreach (var option in new Option[] { top, runs })
        {
            option.Validators.Add(result =>
            {
                if (result.Tokens is [var token] && int.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) && number is < 1 or > 10_000)
                {
                    result.AddError($"{option.Name} must be from 1 to 10000");
                }
            });
        }

        var command = new Verb(
            "benchmark",
            "Runs the application's read queries on both sides in turns, read only, and compares times and results. Exit code 0: fast enough and equal, 3: slower than allowed, different or refused, 4: a side does not answer.",
            ("cdcm benchmark -f migration.yaml", "the benchmarks of the file; the gate reads their results"),
            ("cdcm benchmark -f migration.yaml --top 20", "the source's busiest statements"))
        {
            names, file, top, runs, limit,
        };
        context.Handle(command, async call =>
        {
            var definition = call.Load(file);
            var results = call.Value(top) is { } most
                ? await MigrationBenchmark.RunTopAsync(definition, most, call.Value(runs), call.Value(limit), Progress, call.Cancellation)
                : await MigrationBenchmark.RunAsync(definition, call.Value(names) ?? [], call.Value(limit), Progress, call.Cancellation);
            var isOk = results.All(result => result.Outcome == BenchmarkOutcome.Passed || (call.Value(top) is not null && result.Outcome == BenchmarkOutcome.Skipped));
            if (call.IsJson)
            {
                call.Terminal.Json(new BenchmarkReport(isOk, results));
            }
            else
            {
                BenchmarkView.Show(call.Terminal, results);
            }

            return isOk ? ExitCode.Done : ExitCode.Negative;

            void Progress(BenchmarkResult result) => call.Terminal.Error.WriteLine($"{result.Name}: {result.Outcome}");
        });
        return command;
    }
}

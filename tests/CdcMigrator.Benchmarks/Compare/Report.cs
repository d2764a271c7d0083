using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>Collects results, shows each as it comes, and writes results.md and results.json.</summary>
internal sealed class Report(CompareOptions options)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private readonly List<Result> results = [];
    private readonly List<(string What, string Measured)> facts = [];
    private readonly long begun = Stopwatch.GetTimestamp();

    /// <summary>Events a second Debezium published while the topics were filled.</summary>
    public double Filled { get; set; }

    /// <summary>Whether cdcm left rows that differ.</summary>
    public bool Failed { get; private set; }

    public void Say(string message) => Console.Error.WriteLine($"[{Stopwatch.GetElapsedTime(begun):mm\\:ss}] {message}");

    public void Add(IEnumerable<Result> measured)
    {
        foreach (var result in measured)
        {
            results.Add(result);
            Failed |= !result.Equal && result.Contestant.StartsWith("cdcm", StringComparison.Ordinal);
            Say($"{result.Workload,-8} {result.Format,-14} {result.Contestant,-50} {result.RowsPerSecond,10:N0} rows/s{(result.Equal ? "" : "  ROWS DIFFER")}  {result.OwnMicros:N1} + {result.ServerMicros:N1} µs{(result.PeakMb > 0 ? $"  {result.PeakMb:N0} MB" : "")}");
        }
    }

    /// <summary>A measured fact that is no rate of a workload.</summary>
    public void Add(string what, string measured)
    {
        facts.Add((what, measured));
        Say($"{what}: {measured}");
    }

    /// <summary>A fact in which something was wrong.</summary>
    public void Fail(string what, string measured)
    {
        Failed = true;
        Add(what, measured);
    }

    public async Task WriteAsync(Rig rig)
    {
        Directory.CreateDirectory(options.Output);
        var machine = await MachineAsync(rig);
        var best = results.Where(result => result.Contestant.StartsWith("JDBC", StringComparison.Ordinal))
            .GroupBy(result => result.Workload).ToDictionary(group => group.Key, group => group.Max(result => result.RowsPerSecond));
        var limits = results.Where(result => result.Contestant.Contains("upsert", StringComparison.Ordinal)).ToDictionary(result => result.Workload, result => result.RowsPerSecond);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{machine}. Rows: {options.Rows:N0}. Debezium filled the topics with {Filled:N0} events/s.").AppendLine();
        text.AppendLine("| workload | contestant | reads | rows/s | × JDBC sink | of COPY + upsert | rows/s from its start | µs of processor a row, own + server | rows equal | peak memory |").AppendLine("|---|---|---|---:|---:|---:|---:|---:|---|---:|");
        foreach (var result in results)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {result.Workload} | {result.Contestant} | {result.Format} | {result.RowsPerSecond:N0} | {Ratio(result.RowsPerSecond, best, result.Workload, "0.0")} | {Ratio(result.RowsPerSecond * 100, limits, result.Workload, "0' %'")} | {Number(result.FromStartPerSecond, "N0")} | {(result.ServerMicros > 0 ? $"{Number(result.OwnMicros, "N1")} + {result.ServerMicros:N1}" : "")} | {(result.Equal ? "yes" : "**no**")} | {(result.PeakMb > 0 ? $"{result.PeakMb:N0} MB" : "")} |");
        }

        if (facts.Count > 0)
        {
            text.AppendLine().AppendLine("| what | measured |").AppendLine("|---|---|");
            facts.ForEach(fact => text.AppendLine(CultureInfo.InvariantCulture, $"| {fact.What} | {fact.Measured} |"));
        }

        var took = Stopwatch.GetElapsedTime(begun);
        await File.WriteAllTextAsync(Path.Combine(options.Output, "results.md"), text.ToString());
        await File.WriteAllTextAsync(Path.Combine(options.Output, "results.json"), JsonSerializer.Serialize(
            new { machine, options.Rows, Filled, TookSeconds = took.TotalSeconds, Results = results, Facts = facts.Select(fact => new { fact.What, fact.Measured }) }, Json) + "\n");
        Console.WriteLine(text);
        Say($"written to {options.Output}");
    }

    private static string Number(double value, string format) => value > 0 ? value.ToString(format, CultureInfo.InvariantCulture) : "";

    private static string Ratio(double value, Dictionary<string, double> bases, string workload, string format) =>
        bases.TryGetValue(workload, out var known) && known > 0 ? (value / known).ToString(format, CultureInfo.InvariantCulture) : "";

    private static async Task<string> MachineAsync(Rig rig)
    {
        var model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() : null;
        var load = File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[1] : "?";
        return $"{model ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores shared by all parts, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB, "
            + $"{RuntimeInformation.OSDescription}, PostgreSQL {rig.TargetServer.Major} on both sides, .NET {Environment.Version}, load average {load} over the last five minutes";
    }
}

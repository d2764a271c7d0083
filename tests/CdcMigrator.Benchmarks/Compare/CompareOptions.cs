using System.Globalization;
using CdcMigrator.TestKit;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>What to measure, and how much of it.</summary>
internal sealed record CompareOptions
{
    public static readonly string[] Parts = ["insert", "update", "mixed", "wide", "latency", "backlog", "tables", "stall"];

    /// <summary>Rows of the insert workload; the others follow from it.</summary>
    public int Rows { get; init; } = 400_000;

    /// <summary>Settings of the JDBC sink tried a workload; the best counts.</summary>
    public int SinkSettings { get; init; } = 2;

    /// <summary>How long the latency run writes.</summary>
    public TimeSpan LatencyTime { get; init; } = TimeSpan.FromSeconds(30);

    public IReadOnlyList<string> Only { get; init; } = Parts;

    public string Output { get; init; } = Repository.PathOf("artifacts", "benchmarks");

    public bool Hold { get; init; }

    public bool Has(string part) => Only.Contains(part);

    /// <summary>Null where the arguments are not understood.</summary>
    public static CompareOptions? Parse(string[] args)
    {
        var options = new CompareOptions();
        for (var i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--quick" => options with { Rows = 100_000, SinkSettings = 1, LatencyTime = TimeSpan.FromSeconds(10) },
                "--tiny" => options with { Rows = 2_000, SinkSettings = 1, LatencyTime = TimeSpan.FromSeconds(2) },
                "--rows" when i + 1 < args.Length && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows > 0 => Skip(ref i, options with { Rows = rows }),
                "--hold" => options with { Hold = true },
                "--only" when i + 1 < args.Length => options with { Only = args[++i].Split(',') },
                "--output" when i + 1 < args.Length => options with { Output = Path.GetFullPath(args[++i]) },
                _ => null!,
            };
            if (options is null || options.Only.Any(part => !Parts.Contains(part)))
            {
                return null;
            }
        }

        return options;
    }

    private static CompareOptions Skip(ref int i, CompareOptions options)
    {
        i++;
        return options;
    }
}

namespace CdcMigrator.Domain.Benchmarking;

/// <summary>What a benchmark found.</summary>
/// <param name="Name">Name of the benchmark.</param>
/// <param name="Fingerprint">Of what was asked (<see cref="Migrations.Benchmark.Fingerprint"/>).</param>
/// <param name="Outcome">What it shows.</param>
/// <param name="At">When it ended.</param>
public sealed record BenchmarkResult(string Name, string Fingerprint, BenchmarkOutcome Outcome, DateTimeOffset At)
{
    /// <summary>Why it did not pass, or why results were not compared; empty where there is nothing to say.</summary>
    public string Reason { get; init; } = "";

    /// <summary>equal, different or not comparable; empty where the query did not run.</summary>
    public string Results { get; init; } = "";

    /// <summary>Rows of the source's result.</summary>
    public long Rows { get; init; }

    /// <summary>Runs that count.</summary>
    public int Runs { get; init; }

    /// <summary>Half of the runs took no longer on the source, in milliseconds.</summary>
    public double SourceP50 { get; init; }

    /// <summary>95 of 100 runs took no longer on the source, in milliseconds.</summary>
    public double SourceP95 { get; init; }

    /// <summary>Half of the runs took no longer on the target, in milliseconds.</summary>
    public double TargetP50 { get; init; }

    /// <summary>95 of 100 runs took no longer on the target, in milliseconds.</summary>
    public double TargetP95 { get; init; }

    /// <summary>How many times the source's time the target took, the worse of both.</summary>
    public double Ratio { get; init; }

    /// <summary>How many times it may take.</summary>
    public decimal MaxRatio { get; init; }
}

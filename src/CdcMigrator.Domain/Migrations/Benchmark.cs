namespace CdcMigrator.Domain.Migrations;

/// <summary>A query of the application whose speed the target must have.</summary>
/// <param name="Name">Name in reports.</param>
/// <param name="Source">SQL for the source.</param>
/// <param name="Target">SQL for the target; the source's unless the file says otherwise.</param>
/// <param name="Runs">How often it is timed on each side.</param>
/// <param name="MaxRatio">How many times the source's time the target may take.</param>
public sealed record Benchmark(string Name, string Source, string Target, int Runs = Benchmark.DefaultRuns, decimal MaxRatio = Benchmark.DefaultRatio)
{
    /// <summary>Runs unless the file says otherwise.</summary>
    public const int DefaultRuns = 20;

    /// <summary>Twice as slow is where one goes back.</summary>
    public const decimal DefaultRatio = 2;

    /// <summary>Tells results of this benchmark from those of one of the same name that asked something else.</summary>
    public string Fingerprint => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{Source.Length} {Source}{Target}")))[..16];
}

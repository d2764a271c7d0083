using CdcMigrator.Domain.Benchmarking;

namespace CdcMigrator.Service.Api;

/// <summary>Answer of <c>cdcm benchmark -o json</c>.</summary>
/// <param name="Ok">Every benchmark of the file passed; of the busiest statements none that ran was slower, and none's result differed.</param>
/// <param name="Benchmarks">What was run, in the file's order.</param>
public sealed record BenchmarkReport(bool Ok, IReadOnlyList<BenchmarkResult> Benchmarks);

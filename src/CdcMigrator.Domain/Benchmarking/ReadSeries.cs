namespace CdcMigrator.Domain.Benchmarking;

/// <summary>What running a query on one side gave.</summary>
/// <param name="Milliseconds">Times of the runs that count.</param>
/// <param name="First">The result before them.</param>
/// <param name="Last">The result behind them.</param>
public sealed record ReadSeries(IReadOnlyList<double> Milliseconds, ResultDigest First, ResultDigest Last);

namespace CdcMigrator.Domain.Benchmarking;

/// <summary>A query's result in short.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Content">Equal for the same rows in whatever order.</param>
/// <param name="Order">Equal for the same rows in the same order.</param>
public sealed record ResultDigest(long Rows, UInt128 Content, UInt128 Order);

namespace CdcMigrator.Domain.Benchmarking;

/// <summary>What a benchmark shows.</summary>
public enum BenchmarkOutcome
{
    /// <summary>The target is fast enough, and its result is not known to be wrong.</summary>
    Passed,

    /// <summary>The target is slower than allowed.</summary>
    Slower,

    /// <summary>The results differ although neither side was written.</summary>
    Different,

    /// <summary>A side could not run the query.</summary>
    Failed,

    /// <summary>The query was not run: it cannot be, as it stands.</summary>
    Skipped,
}

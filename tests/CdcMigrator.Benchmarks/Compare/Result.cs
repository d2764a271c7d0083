namespace CdcMigrator.Benchmarks.Compare;

/// <summary>One measured run.</summary>
/// <param name="Workload">What was applied.</param>
/// <param name="Contestant">Who applied it, with its settings.</param>
/// <param name="Format">What it read.</param>
/// <param name="RowsPerSecond">Row events a second from the first one visible to the last.</param>
/// <param name="Equal">Whether source and target held the same rows afterwards.</param>
/// <param name="PeakMb">Peak resident memory of the process in MB; 0 where it shares one with others.</param>
internal sealed record Result(string Workload, string Contestant, string Format, double RowsPerSecond, bool Equal, double PeakMb = 0)
{
    /// <summary>Row events a second from the start of the process or connector to the last one visible.</summary>
    public double FromStartPerSecond { get; init; }

    /// <summary>Processor time of the contestant's own process a row event, in microseconds; 0 where it shares one with others.</summary>
    public double OwnMicros { get; init; }

    /// <summary>Processor time of the target server's processes a row event, in microseconds.</summary>
    public double ServerMicros { get; init; }
}

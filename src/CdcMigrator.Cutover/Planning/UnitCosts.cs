namespace CdcMigrator.Cutover.Planning;

/// <summary>
/// What single steps cost, as measured on two cores shared by all parts (docs/benchmarks.md). A real machine is faster; a plan should not promise that. Measure
/// yours in the rehearsal.
/// </summary>
public sealed record UnitCosts
{
    /// <summary>Rows a second one Debezium task reads and publishes.</summary>
    public double CaptureRowsPerSecond { get; init; } = 15_000;

    /// <summary>Bytes a second one Debezium task reads and publishes, where rows are wide.</summary>
    public double CaptureBytesPerSecond { get; init; } = 10e6;

    /// <summary>Rows a second a service with the default four writers applies, mixed and in JSON.</summary>
    public double ApplyRowsPerSecond { get; init; } = 30_000;

    /// <summary>Seconds a full comparison takes for a million rows of about 200 bytes, both sides at once.</summary>
    public double CompareSecondsPerMillion { get; init; } = 1.3;

    /// <summary>The same where rows are hashed outside the databases (other engines).</summary>
    public double CompareSecondsPerMillionAcrossEngines { get; init; } = 2.9;

    /// <summary>Keys a second that are compared again behind the fence.</summary>
    public double DirtyKeysPerSecond { get; init; } = 95_000;

    /// <summary>Bytes a second a dump and restore moves, indexes included.</summary>
    public double DumpBytesPerSecond { get; init; } = 20e6;

    /// <summary>Bytes of a record in the log for a byte of a row's values: names, source block and key come with each.</summary>
    public double RecordBytesPerRowByte { get; init; } = 2;

    /// <summary>Bytes each record has beside its row.</summary>
    public double RecordOverheadBytes { get; init; } = 500;

    /// <summary>Milliseconds from the marker behind the fence until the connector has confirmed it (95 in 100).</summary>
    public double DrainMilliseconds { get; init; } = 820;
}

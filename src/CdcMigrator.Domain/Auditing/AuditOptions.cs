namespace CdcMigrator.Domain.Auditing;

/// <summary>How much of a source an audit reads, and how hard.</summary>
public sealed record AuditOptions
{
    /// <summary>Rows up to which a table is read whole unless the user says otherwise; of a larger one about so many are read.</summary>
    public const long RowsReadWhole = 20_000_000;

    /// <summary>Per cent of each table to read; null reads all of a table of up to <see cref="RowsReadWhole"/> rows, and about so many of a larger one.</summary>
    public double? SamplePercent { get; init; }

    /// <summary>Tables read at the same time, each in a session of its own.</summary>
    public int TablesAtOnce { get; init; } = 2;

    /// <summary>Longest time one statement may take; a table that takes longer is left out, which is a finding.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Least time between two readings of the source's counters of writes; the audit takes at least so long. Zero takes as long as it happens to be.</summary>
    public TimeSpan RateWindow { get; init; }

    /// <summary>Per cent to read of a table.</summary>
    /// <param name="estimatedRows">The server's estimate.</param>
    public double PercentOf(long estimatedRows) =>
        SamplePercent ?? (estimatedRows <= RowsReadWhole ? 100 : Math.Max(0.001, Math.Round(100.0 * RowsReadWhole / estimatedRows, 3)));
}

using System.Globalization;
using CdcMigrator.Domain.Auditing;

namespace CdcMigrator.Cutover.Planning;

/// <summary>Computes how long steps take and what they need. Pure.</summary>
public static class Sizing
{
    private const long RowsOfOnePartition = 5_000_000;
    private const int MostPartitions = 8;
    private const int DefaultWriters = 4;
    private const int MostWriters = 16;

    /// <summary>Seconds of writes that are dirty when the fence closes: between two turns of the reconciler.</summary>
    private const double DirtySeconds = 10;

    /// <summary>Lock, enabling the fence, drain and the last reads (measured parts of a cutover without load on the machine).</summary>
    private const double FenceMilliseconds = 200;

    /// <summary>The sizing of a migration.</summary>
    /// <param name="audit">What the source holds.</param>
    /// <param name="wishes">What its owners want.</param>
    /// <param name="costs">What single steps cost.</param>
    /// <param name="inOneLane">Tables whose topics must have one partition.</param>
    public static PlanSizing Of(AuditReport audit, PlanWishes wishes, UnitCosts costs, IReadOnlySet<string> inOneLane)
    {
        ArgumentNullException.ThrowIfNull(audit);
        ArgumentNullException.ThrowIfNull(wishes);
        ArgumentNullException.ThrowIfNull(costs);
        ArgumentNullException.ThrowIfNull(inOneLane);
        var (rows, bytes) = (audit.Tables.Sum(table => table.Rows), audit.Tables.Sum(table => table.Bytes));
        var (writes, from) = Writes(audit);
        var log = audit.Measured?.LogBytesPerSecond is { } now && now > (audit.Source.LogBytesPerSecond ?? 0) ? now : audit.Source.LogBytesPerSecond;
        var snapshot = Math.Max(rows / costs.CaptureRowsPerSecond, bytes / costs.CaptureBytesPerSecond);
        var capacity = Math.Min(costs.CaptureRowsPerSecond, costs.ApplyRowsPerSecond);
        double? catchUp = writes >= capacity ? null : snapshot * (writes ?? 0) / (capacity - (writes ?? 0));
        var bytesOfRow = rows == 0 ? 0 : (double)bytes / rows;
        var recordBytes = (bytesOfRow * costs.RecordBytesPerRowByte) + costs.RecordOverheadBytes;
        var perMillion = audit.Source.Engine == "postgresql" ? costs.CompareSecondsPerMillion : costs.CompareSecondsPerMillionAcrossEngines;
        return new PlanSizing
        {
            Rows = rows,
            Bytes = bytes,
            WritesPerSecond = writes,
            WritesFrom = from,
            SnapshotSeconds = Math.Round(snapshot, 1),
            CatchUpSeconds = catchUp is { } seconds ? Math.Round(seconds, 1) : null,
            DumpSeconds = Math.Round(bytes / costs.DumpBytesPerSecond, 1),
            VerificationSeconds = Math.Round(rows / 1e6 * perMillion * Math.Max(1, bytesOfRow / 400), 1),
            OutageMilliseconds = Math.Round(costs.DrainMilliseconds + FenceMilliseconds + ((writes ?? 0) * DirtySeconds / costs.DirtyKeysPerSecond * 1000)),
            SourceLogBytes = log is { } rate ? (long)(rate * (snapshot + wishes.Outage.TotalSeconds)) : null,
            KafkaBytes = (long)(recordBytes * (rows + ((writes ?? 0) * wishes.LogRetention.TotalSeconds))),
            Partitions = audit.Tables.ToDictionary(table => table.Table, table => inOneLane.Contains(table.Table) ? 1 : (int)Math.Clamp((table.Rows + RowsOfOnePartition - 1) / RowsOfOnePartition, 1, MostPartitions), StringComparer.Ordinal),
            Writers = writes is { } rowsPerSecond ? Math.Clamp((int)Math.Ceiling(rowsPerSecond * 2 / costs.ApplyRowsPerSecond * DefaultWriters), DefaultWriters, MostWriters) : DefaultWriters,
        };
    }

    /// <summary>
    /// The greater of what was measured and of the average: a source that was quiet while it was looked at is not always so, and one whose load grew says less on average. The average is by table where
    /// the server counts so, else of the server.
    /// </summary>
    private static (double? Writes, string? From) Writes(AuditReport audit)
    {
        var average = audit.Tables.Count > 0 && audit.Tables.All(table => table.WritesPerSecond is not null || table.NotProfiled is not null)
            ? Math.Round(audit.Tables.Sum(table => table.WritesPerSecond ?? 0), 3) : audit.Source.WritesPerSecond;
        return audit.Measured is { } measured && measured.WritesPerSecond >= (average ?? 0)
            ? (measured.WritesPerSecond, string.Create(CultureInfo.InvariantCulture, $"measured over {measured.Seconds:0.#} s"))
            : (average, average is null ? null : "average since the counters began");
    }
}

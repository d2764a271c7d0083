namespace CdcMigrator.Domain.Auditing;

/// <summary>What the source wrote while it was surveyed: two readings of its counters.</summary>
/// <param name="Seconds">Between the readings.</param>
/// <param name="WritesPerSecond">Rows inserted, updated and deleted a second, in the tables of the migration (MariaDB, MySQL: on the whole server).</param>
/// <param name="LogBytesPerSecond">Bytes of WAL or binlog a second, of all databases; null where the source does not say.</param>
public sealed record MeasuredRates(double Seconds, double WritesPerSecond, double? LogBytesPerSecond)
{
    /// <summary>The rates between two readings; null where too little time lies between them, or a counter was reset.</summary>
    public static MeasuredRates? Between((double At, double Writes, double? LogBytes)? first, (double At, double Writes, double? LogBytes)? second) =>
        first is { } from && second is { } to && to.At - from.At >= LeastSeconds && to.Writes >= from.Writes
            ? new MeasuredRates(
                Math.Round(to.At - from.At, 1), Math.Round((to.Writes - from.Writes) / (to.At - from.At), 3), to.LogBytes - from.LogBytes is { } bytes and >= 0 ? Math.Round(bytes / (to.At - from.At)) : null)
            : null;

    /// <summary>Counters are brought up to date every second or so.</summary>
    private const double LeastSeconds = 2;
}

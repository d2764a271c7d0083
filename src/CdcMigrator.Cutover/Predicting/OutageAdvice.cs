using System.Globalization;

namespace CdcMigrator.Cutover.Predicting;

/// <summary>What shortens a part of the outage. Pure.</summary>
public static class OutageAdvice
{
    /// <summary>Values with which a confirmation takes less than a second (docs/benchmarks.md).</summary>
    private const int GoodFlush = 200;
    private const int GoodHeartbeat = 200;
    private const int GoodPoll = 50;

    /// <summary>What to do where a marker came through the log and was not confirmed in time: no view of lanes or lag shows why.</summary>
    /// <param name="pace">The connector's settings, as far as they are known.</param>
    public static string Unconfirmed(ConnectorPace? pace) => Settings(pace) is { Count: > 0 } wanted
        ? $"{Wish(wanted)}: what the source's reader has read is confirmed when Connect stores its offsets, by default once in 60 s, and that has to fit into cutover.deadlines"
        : Short;

    /// <summary>What to do where a part is the largest.</summary>
    /// <param name="part">The part.</param>
    /// <param name="pace">The connector's settings, as far as they are known.</param>
    public static string Of(OutagePart part, ConnectorPace? pace) => part switch
    {
        OutagePart.Pause => "End long transactions of the application, or take poolers out of cutover.route: without them writes fail for that time instead of waiting",
        OutagePart.Fence => "End long transactions on the side that is left, and keep maintenance (VACUUM, CREATE INDEX, DDL) away meanwhile; cutover.lockTimeout is how long one attempt waits",
        OutagePart.Confirm => Confirm(pace),
        OutagePart.Drain => "Choose an hour with fewer writes, or raise apply.writers; 'cdcm lag --by table' shows what is behind",
        OutagePart.Verify => "Choose an hour with fewer writes, or let both sides be compared until fewer keys are dirty ('cdcm verify show'); verify.tablesAtOnce makes it faster",
        OutagePart.Sequences => "Look at the round trip between the service and both servers: sequences are moved one by one",
        OutagePart.Seal or OutagePart.Open => "Look at what a COMMIT takes on both servers (disks, synchronous standbys), and at the round trip from the service",
        _ => "Make the hooks of cutover.route.afterOpen faster, or raise cutover.budget if applications can wait that long",
    };

    private const string Short = "The connector's intervals are short already: look at its load and at the round trips to Kafka, or choose an hour with fewer writes";

    private static string Confirm(ConnectorPace? pace) => Settings(pace) is { Count: > 0 } wanted ? Wish(wanted) : Short;

    private static string Wish(List<string> wanted) => $"Set {string.Join(", ", wanted)}";

    private static List<string> Settings(ConnectorPace? pace) =>
    [
        .. new[]
        {
            Wanted("offset.flush.interval.ms", "of the Connect worker", pace?.OffsetFlush, GoodFlush, mayBeOff: false),
            Wanted("heartbeat.interval.ms", "of the connector", pace?.Heartbeat, GoodHeartbeat, mayBeOff: true),
            Wanted("poll.interval.ms", "of the connector", pace?.Poll, GoodPoll, mayBeOff: false),
        }.OfType<string>(),
    ];

    /// <summary>Null where the setting is good as it is. What is not known is named too.</summary>
    private static string? Wanted(string setting, string whose, TimeSpan? now, int good, bool mayBeOff)
    {
        var isOff = mayBeOff && now == TimeSpan.Zero;
        return now is { } value && !isOff && value <= TimeSpan.FromMilliseconds(good) ? null
            : string.Create(CultureInfo.InvariantCulture, $"{setting} {whose} to {good}{(isOff ? " (it is off)" : now is { } known ? $" (it is {known.TotalMilliseconds:0})" : "")}");
    }
}

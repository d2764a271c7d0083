using System.Globalization;

namespace CdcMigrator.Cutover.Predicting;

/// <summary>What shortens a part of the outage.</summary>
internal static class OutageAdvice
{
    /// <summary>Values with which a confirmation takes less than a second (docs/benchmarks.md).</summary>
    private const int GoodFlush = 200;
    private const int GoodHeartbeat = 200;
    private const int GoodPoll = 50;

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

    private static string Confirm(ConnectorPace? pace)
    {
        var wanted = new[]
        {
            Wanted("offset.flush.interval.ms", "of the Connect worker", pace?.OffsetFlush, GoodFlush, mayBeOff: false),
            Wanted("heartbeat.interval.ms", "of the connector", pace?.Heartbeat, GoodHeartbeat, mayBeOff: true),
            Wanted("poll.interval.ms", "of the connector", pace?.Poll, GoodPoll, mayBeOff: false),
        }.OfType<string>().ToList();
        return wanted.Count > 0 ? $"Set {string.Join(", ", wanted)}"
            : "The connector's intervals are short already: look at its load and at the round trips to Kafka, or choose an hour with fewer writes";
    }

    /// <summary>Null where the setting is good as it is. What is not known is named too.</summary>
    private static string? Wanted(string setting, string whose, TimeSpan? now, int good, bool mayBeOff)
    {
        var isOff = mayBeOff && now == TimeSpan.Zero;
        return now is { } value && !isOff && value <= TimeSpan.FromMilliseconds(good) ? null
            : string.Create(CultureInfo.InvariantCulture, $"{setting} {whose} to {good}{(isOff ? " (it is off)" : now is { } known ? $" (it is {known.TotalMilliseconds:0})" : "")}");
    }
}

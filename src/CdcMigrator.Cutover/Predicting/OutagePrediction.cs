using System.Globalization;

namespace CdcMigrator.Cutover.Predicting;

/// <summary>
/// How long applications will not be able to write, from the first lock (or a pooler's pause) until they write on the other side. Parts are added as if each began where the
/// last one ended and all were slow at once, so that fewer than 1 in 100 cutovers should take longer than the 99th percentile. Pure.
/// </summary>
/// <param name="Parts">What is known, in its order.</param>
/// <param name="Total">The sum of the parts.</param>
/// <param name="Unknown">Parts that every cutover has and nobody has measured: the total is too low by them.</param>
/// <param name="HooksNotMeasured">Hooks whose time is not in the total.</param>
public sealed record OutagePrediction(IReadOnlyList<PredictedPart> Parts, MeasuredTime Total, IReadOnlyList<OutagePart> Unknown, IReadOnlyList<string> HooksNotMeasured)
{
    /// <summary>The part that takes longest when all are slow; the earlier one of equals; null without parts.</summary>
    public PredictedPart? Largest => Parts.MaxBy(part => part.Time.P99);

    /// <summary>Predicts from measurements.</summary>
    public static OutagePrediction Of(OutageMeasures measures)
    {
        ArgumentNullException.ThrowIfNull(measures);
        (OutagePart Part, MeasuredTime? Time)[] all =
        [
            (OutagePart.Pause, measures.Pause),
            (OutagePart.Fence, measures.Fence),
            (OutagePart.Confirm, measures.Confirm),
            (OutagePart.Drain, measures.Drain?.Time),
            (OutagePart.Verify, measures.Verify?.Time.Plus(measures.Beat ?? default)),
            (OutagePart.Sequences, measures.Sequences),
            (OutagePart.Seal, measures.Seal),
            (OutagePart.Open, measures.Open),
            (OutagePart.Route, measures.Route),
        ];
        return new OutagePrediction(
            [.. all.Where(part => part.Time is not null).Select(part => new PredictedPart(part.Part, part.Time!.Value))],
            all.Aggregate(default(MeasuredTime), (sum, part) => sum.Plus(part.Time ?? default)),
            [.. all.Where(part => part.Time is null && part.Part is not (OutagePart.Pause or OutagePart.Route)).Select(part => part.Part)],
            measures.HooksNotMeasured);
    }

    /// <summary>Why a cutover must not begin; null where its 99th percentile is within the budget and every part is known.</summary>
    /// <param name="budget">Longest outage allowed.</param>
    /// <param name="pace">The connector's settings, so that advice can name their values.</param>
    public OutageRefusal? Refuse(TimeSpan budget, ConnectorPace? pace = null)
    {
        if (Unknown.Count > 0)
        {
            return new OutageRefusal(
                null, $"The write outage cannot be predicted: {string.Join(", ", Unknown.Select(Name))} {(Unknown.Count == 1 ? "was" : "were")} never measured",
                "Run 'cdcm rehearse', which does all but the point of no return and measures it");
        }

        return Largest is { } largest && Total.P99 > budget
            ? new OutageRefusal(
                largest.Part,
                $"Predicted write outage {Text(Total.P99)} (99 in 100 take less; half take less than {Text(Total.P50)}) is above cutover.budget, {Text(budget)}; "
                + $"most of it is {Name(largest.Part)}: {Text(largest.Time.P99)}",
                OutageAdvice.Of(largest.Part, pace))
            : null;
    }

    /// <summary>A part in words.</summary>
    public static string Name(OutagePart part) => part switch
    {
        OutagePart.Pause => "the poolers' pause",
        OutagePart.Fence => "denying writes",
        OutagePart.Confirm => "the connector's confirmation",
        OutagePart.Drain => "applying what is behind",
        OutagePart.Verify => "comparing what changed",
        OutagePart.Sequences => "advancing sequences",
        OutagePart.Seal => "the point of no return",
        OutagePart.Open => "opening the other side",
        _ => "sending applications there",
    };

    /// <summary>A time for people: <c>820 ms</c>, <c>3.4 s</c>.</summary>
    public static string Text(TimeSpan time) => time < TimeSpan.FromSeconds(1)
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMilliseconds)} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds * 100) / 100:0.##} s");
}

using CdcMigrator.Cutover.Predicting;
using CsCheck;

namespace CdcMigrator.UnitTests.Cutover.Predicting;

public sealed class OutagePredictionTests
{
    private static readonly Gen<MeasuredTime> Times = Gen.Select(Gen.Int[0, 2000], Gen.Int[0, 5000], (p50, more) => new MeasuredTime(Ms(p50), Ms(p50 + more)));

    private static readonly Gen<RemainingWork> Works = Gen.Select(Gen.Long[0, 1_000_000], Gen.Double[1, 200_000], Gen.Double[0, 200_000], (items, rate, slow) => new RemainingWork(items, rate, slow));

    private static readonly Gen<OutageMeasures> Measures = Gen.Select(Times.Array[7], Works.Array[2], Gen.Int[0, 511], (times, works, known) => new OutageMeasures
    {
        Pause = Has(known, 0) ? times[0] : null,
        Fence = Has(known, 1) ? times[1] : null,
        Confirm = Has(known, 2) ? times[2] : null,
        Sequences = Has(known, 3) ? times[3] : null,
        Seal = Has(known, 4) ? times[4] : null,
        Open = Has(known, 5) ? times[5] : null,
        Route = Has(known, 6) ? times[6] : null,
        Drain = Has(known, 7) ? works[0] : null,
        Verify = Has(known, 8) ? works[1] : null,
    });

    private static readonly OutageMeasures Usual = new()
    {
        Fence = At(50, 120),
        Confirm = At(360, 820),
        Drain = new RemainingWork(3000, 30_000, 20_000),
        Verify = new RemainingWork(9_500, 95_000, 80_000),
        Sequences = At(5, 10),
        Seal = At(3, 9),
        Open = At(40, 90),
    };

    [Fact]
    public void Percentiles_are_measurements_that_so_many_do_not_exceed() => Gen.Int[0, 10_000].Array[1, 400].Sample(values =>
    {
        var measured = MeasuredTime.Of(values.Select(Ms));
        Assert.Contains((int)measured.P50.TotalMilliseconds, values);
        Assert.Contains((int)measured.P99.TotalMilliseconds, values);
        Assert.True(values.Count(value => Ms(value) <= measured.P50) * 2 >= values.Length);
        Assert.True(values.Count(value => Ms(value) <= measured.P99) * 100 >= values.Length * 99);
        Assert.True(values.Count(value => Ms(value) < measured.P50) * 2 < values.Length);
        Assert.True(values.Count(value => Ms(value) < measured.P99) * 100 < values.Length * 99);
        Assert.Equal(measured, MeasuredTime.Of(values.Reverse().Select(Ms)));
        Assert.True(values.Length >= 100 || measured.P99 == Ms(values.Max()));
    });

    [Fact]
    public void Nothing_measured_is_no_measurement()
    {
        Assert.Throws<ArgumentException>(() => MeasuredTime.Of([]));
        Assert.Throws<ArgumentException>(() => MeasuredTime.Of([Ms(-1)]));
    }

    [Fact]
    public void Work_takes_the_longer_the_more_and_the_slower_it_is_and_has_an_end() => Gen.Select(Works, Gen.Long[1, 1000], Gen.Double[0.01, 1]).Sample((work, more, slower) =>
    {
        Assert.True(work.Time.P50 <= work.Time.P99);
        Assert.True((work with { Items = work.Items + more }).Time.P99 >= work.Time.P99);
        Assert.True((work with { PerSecond = work.PerSecond * slower }).Time.P50 >= work.Time.P50);
        Assert.True((work with { PerSecondWhenSlow = work.PerSecondWhenSlow * slower }).Time.P99 >= work.Time.P99);
        Assert.True(work.Time.P99 <= TimeSpan.FromDays(1));
        Assert.Equal(default, (work with { Items = 0 }).Time);
    });

    [Fact]
    public void The_total_is_the_parts_and_every_part_is_either_counted_or_unknown_or_not_there() => Measures.Sample(measures =>
    {
        var prediction = OutagePrediction.Of(measures);
        Assert.Equal(prediction.Parts.Sum(part => part.Time.P50.Ticks), prediction.Total.P50.Ticks);
        Assert.Equal(prediction.Parts.Sum(part => part.Time.P99.Ticks), prediction.Total.P99.Ticks);
        Assert.True(prediction.Total.P50 <= prediction.Total.P99);
        Assert.Equal(
            Enum.GetValues<OutagePart>().Where(part => (part != OutagePart.Pause || measures.Pause is not null) && (part != OutagePart.Route || measures.Route is not null)),
            prediction.Parts.Select(part => part.Part).Concat(prediction.Unknown).Order());
        Assert.Equal(prediction.Parts.Select(part => part.Part).Order(), prediction.Parts.Select(part => part.Part));
    });

    [Fact]
    public void Whatever_gets_slower_never_makes_the_prediction_better() => Gen.Select(Measures, Times, Gen.Int[0, 8]).Sample((measures, more, which) =>
    {
        MeasuredTime? Slower(MeasuredTime? time, int part) => which == part ? time?.Plus(more) : time;
        RemainingWork? More(RemainingWork? work, int part) => which == part && work is { } some ? some with { Items = some.Items + 1000 } : work;
        var slower = measures with
        {
            Pause = Slower(measures.Pause, 0),
            Fence = Slower(measures.Fence, 1),
            Confirm = Slower(measures.Confirm, 2),
            Sequences = Slower(measures.Sequences, 3),
            Seal = Slower(measures.Seal, 4),
            Open = Slower(measures.Open, 5),
            Route = Slower(measures.Route, 6),
            Drain = More(measures.Drain, 7),
            Verify = More(measures.Verify, 8),
        };
        var (before, after) = (OutagePrediction.Of(measures), OutagePrediction.Of(slower));
        Assert.True(after.Total.P50 >= before.Total.P50);
        Assert.True(after.Total.P99 >= before.Total.P99);
        Assert.True(before.Refuse(Ms(3000)) is null || after.Refuse(Ms(3000)) is not null);
    });

    [Fact]
    public void It_is_refused_exactly_above_the_budget_or_unknown_and_the_largest_part_is_named() => Gen.Select(Measures, Gen.Int[0, 20_000]).Sample((measures, budget) =>
    {
        var prediction = OutagePrediction.Of(measures);
        var refusal = prediction.Refuse(Ms(budget));
        Assert.Equal(prediction.Unknown.Count > 0 || prediction.Total.P99 > Ms(budget), refusal is not null);
        if (refusal?.Largest is { } largest)
        {
            Assert.All(prediction.Parts, part => Assert.True(part.Time.P99 <= prediction.Parts.Single(other => other.Part == largest).Time.P99));
            Assert.Contains(OutagePrediction.Name(largest), refusal.Message, StringComparison.Ordinal);
        }
        else if (refusal is not null)
        {
            Assert.All(prediction.Unknown, part => Assert.Contains(OutagePrediction.Name(part), refusal.Message, StringComparison.Ordinal));
        }
    });

    [Fact]
    public void A_usual_cutover_is_within_the_default_budget_and_its_parts_are_as_measured()
    {
        var prediction = OutagePrediction.Of(Usual with { HooksNotMeasured = ["balancer"] });
        Assert.Null(prediction.Refuse(Ms(3000)));
        Assert.Equal(["Fence 50 120", "Confirm 360 820", "Drain 100 150", "Verify 100 119", "Sequences 5 10", "Seal 3 9", "Open 40 90"],
            prediction.Parts.Select(part => $"{part.Part} {Math.Round(part.Time.P50.TotalMilliseconds)} {Math.Round(part.Time.P99.TotalMilliseconds)}"));
        Assert.Equal(["balancer"], prediction.HooksNotMeasured);
    }

    [Theory]
    [InlineData(60_000, 0, 500, "Set offset.flush.interval.ms of the Connect worker to 200 (it is 60000), heartbeat.interval.ms of the connector to 200 (it is off), poll.interval.ms of the connector to 50 (it is 500)")]
    [InlineData(200, 200, 50, "The connector's intervals are short already: look at its load and at the round trips to Kafka, or choose an hour with fewer writes")]
    [InlineData(-1, 10_000, 50, "Set offset.flush.interval.ms of the Connect worker to 200, heartbeat.interval.ms of the connector to 200 (it is 10000)")]
    public void A_slow_confirmation_is_refused_with_the_settings_that_make_it_slow(int flush, int heartbeat, int poll, string fix)
    {
        var refusal = OutagePrediction.Of(Usual with { Confirm = At(30_000, 61_234) }).Refuse(Ms(3000), new ConnectorPace(flush < 0 ? null : Ms(flush), Ms(heartbeat), Ms(poll)));
        Assert.Equal(OutagePart.Confirm, refusal!.Largest);
        Assert.Equal(
            "Predicted write outage 61.74 s (99 in 100 take less; half take less than 30.3 s) is above cutover.budget, 3 s; most of it is the connector's confirmation: 61.24 s", refusal.Message);
        Assert.Equal(fix, refusal.Fix);
    }

    [Fact]
    public void What_was_never_measured_is_refused_by_name_though_the_rest_is_short()
    {
        var refusal = OutagePrediction.Of(Usual with { Seal = null, Verify = null }).Refuse(Ms(3000));
        Assert.Equal("The write outage cannot be predicted: comparing what changed, the point of no return were never measured", refusal!.Message);
        Assert.Contains("cdcm rehearse", refusal.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_part_has_a_name_and_advice_of_its_own()
    {
        var refusals = Enum.GetValues<OutagePart>().Select(part => new OutagePrediction([new PredictedPart(part, At(5000, 5000))], At(5000, 5000), [], []).Refuse(Ms(1))!).ToList();
        Assert.Equal(refusals.Count, refusals.Select(refusal => refusal.Message).Distinct().Count());
        Assert.True(refusals.Select(refusal => refusal.Fix).Distinct().Count() >= refusals.Count - 1);
    }

    private static MeasuredTime At(int p50, int p99) => new(Ms(p50), Ms(p99));

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static bool Has(int flags, int index) => (flags >> index & 1) == 1;
}

using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using CdcMigrator.Debezium.Logical;
using CsCheck;

namespace CdcMigrator.UnitTests.Debezium.Logical;

/// <summary>Against Julian day numbers by another formula and in big integers, over PostgreSQL's whole range.</summary>
public sealed partial class TimeTextTests
{
    [Fact]
    public void Timestamps_round_trip_over_the_whole_range() =>
        Gen.Long[TimeText.FirstMicros, long.MaxValue].Sample(micros => Assert.Equal(micros, Micros(Timestamp(micros))), iter: 20_000);

    [Fact]
    public void Dates_round_trip_over_the_whole_range() =>
        Gen.Long[TimeText.FirstDay, TimeText.LastDay].Sample(days => Assert.Equal(days, Days(Date(days))), iter: 20_000);

    [Fact]
    public void Dates_agree_with_NET_where_it_has_them() =>
        Gen.Int[-719162, 2932896].Sample(
            days => Assert.Equal(DateOnly.FromDayNumber(days + 719162).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Date(days)),
            iter: 20_000);

    [Fact]
    public void Every_day_around_the_change_of_eras_follows_the_former()
    {
        var former = Days(Date(-725_001));
        for (var days = -725_000; days < -715_000; days++)
        {
            Assert.Equal(++former, Days(Date(days)));
        }
    }

    private static string Timestamp(long micros) => Written(writer => TimeText.WriteTimestamp(micros, writer));

    private static string Date(long days) => Written(writer => TimeText.WriteEra(TimeText.WriteDate(days, writer), writer));

    private static string Written(Action<ValueWriter> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(new ValueWriter(new Placeholder("x")) { Output = output });
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static long Days(string text)
    {
        var match = DatePattern().Match(text);
        Assert.True(match.Success, text);
        return (long)(JulianDay(match) - JulianDay(1970, 1, 1));
    }

    private static long Micros(string text)
    {
        var match = TimestampPattern().Match(text);
        Assert.True(match.Success, text);
        var fraction = match.Groups["f"].Value.PadRight(6, '0');
        var seconds = (Number(match, "h") * 3600) + (Number(match, "i") * 60) + Number(match, "s");
        return (long)(((JulianDay(match) - JulianDay(1970, 1, 1)) * 86_400_000_000) + (seconds * 1_000_000) + BigInteger.Parse(fraction));
    }

    private static BigInteger JulianDay(Match match)
    {
        var year = Number(match, "y");
        return JulianDay(match.Groups["bc"].Success ? 1 - year : year, Number(match, "m"), Number(match, "d"));
    }

    /// <summary>The textbook formula with floors, in the proleptic Gregorian calendar.</summary>
    private static BigInteger JulianDay(BigInteger year, BigInteger month, BigInteger day)
    {
        var a = (14 - month) / 12;
        var y = year + 4800 - a;
        var m = month + (12 * a) - 3;
        return day + (((153 * m) + 2) / 5) + (365 * y) + Floor(y, 4) - Floor(y, 100) + Floor(y, 400) - 32045;
    }

    private static BigInteger Floor(BigInteger value, int divisor) => (value - (((value % divisor) + divisor) % divisor)) / divisor;

    private static BigInteger Number(Match match, string group) => BigInteger.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<y>\d{4,})-(?<m>\d\d)-(?<d>\d\d)(?<bc> BC)?$")]
    private static partial Regex DatePattern();

    [GeneratedRegex(@"^(?<y>\d{4,})-(?<m>\d\d)-(?<d>\d\d) (?<h>\d\d):(?<i>\d\d):(?<s>\d\d)(\.(?<f>\d{0,5}[1-9]))?(?<bc> BC)?$")]
    private static partial Regex TimestampPattern();
}

using System.Globalization;

namespace CdcMigrator.Cutover.Planning;

/// <summary>Numbers as people read them. Pure.</summary>
public static class PlanText
{
    /// <summary>A time.</summary>
    public static string Seconds(double seconds) => seconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0} ms"),
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        < 172_800 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.#} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86_400:0.#} days"),
    };

    /// <summary>A size, in powers of ten.</summary>
    public static string Bytes(double bytes) => bytes switch
    {
        < 1e6 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.#} kB"),
        < 1e9 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.#} MB"),
        < 1e12 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.#} GB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e12:0.##} TB"),
    };

    /// <summary>A number, large ones without digits behind the point.</summary>
    public static string Number(double number) => number.ToString(number is > -10 and < 10 ? "0.##" : "N0", CultureInfo.InvariantCulture);

    /// <summary>A strategy's name.</summary>
    public static string Of(Strategy strategy) => strategy switch
    {
        Strategy.BigBang => "big bang",
        Strategy.ChangeDataCapture => "change data capture",
        Strategy.DualWrite => "dual write",
        _ => "strangler by groups of tables",
    };
}

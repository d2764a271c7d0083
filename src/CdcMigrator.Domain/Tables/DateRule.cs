namespace CdcMigrator.Domain.Tables;

/// <summary>What becomes of zero dates, or of partial ones, in one column.</summary>
/// <param name="Action">What is done.</param>
/// <param name="Day">With <see cref="DateAction.Replace"/>, the day as PostgreSQL's text, or <c>-infinity</c>.</param>
public readonly record struct DateRule(DateAction Action, string Day = "")
{
    /// <summary>As it is written in a migration file.</summary>
    public override string ToString() => Action switch
    {
        DateAction.ByTarget => "",
        DateAction.Replace => Day == "1970-01-01" ? "epoch" : Day,
        _ => Action.ToString().ToLowerInvariant(),
    };

    /// <summary>Reads what a migration file says; null where it says nothing that is known.</summary>
    public static DateRule? Parse(string text) => text switch
    {
        "null" => new(DateAction.Null),
        "refuse" => new(DateAction.Refuse),
        "first" => new(DateAction.First),
        "epoch" => new(DateAction.Replace, "1970-01-01"),
        "-infinity" => new(DateAction.Replace, text),
        _ => DateOnly.TryParseExact(text, "yyyy-MM-dd", out _) ? new DateRule(DateAction.Replace, text) : null,
    };
}

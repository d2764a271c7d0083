using System.Globalization;
using System.Text.RegularExpressions;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>Whether every value of one PostgreSQL type is a value of another, with the same text. Pure.</summary>
internal static partial class Widening
{
    private static readonly string[] Integers = ["smallint", "integer", "bigint"];

    public static bool Is(string source, string target)
    {
        if (source == target || (Array.IndexOf(Integers, source) is >= 0 and var from && Array.IndexOf(Integers, target) > from))
        {
            return true;
        }

        var (here, there) = (Form().Match(source), Form().Match(target));
        var (name, other) = (here.Groups[1].Value, there.Groups[1].Value);
        return (name, other) switch
        {
            ("character varying", "text") => true,
            ("character varying", "character varying") => !there.Groups[2].Success || (here.Groups[2].Success && Number(here, 2) <= Number(there, 2)),
            ("numeric", "numeric") => !there.Groups[2].Success || (here.Groups[2].Success && Number(here, 3) == Number(there, 3) && Number(here, 2) <= Number(there, 2)),
            ("smallint" or "integer" or "bigint", "numeric") => !there.Groups[2].Success,
            _ => false,
        };
    }

    private static int Number(Match match, int group) => match.Groups[group].Success ? int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"^([a-z ]+?)(?:\((\d+)(?:,(-?\d+))?\))?$")]
    private static partial Regex Form();
}

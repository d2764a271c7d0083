using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace CdcMigrator.Cutover.Routing;

/// <summary>Puts the facts of a cutover in the place of <c>{{toHost}}</c> and the like.</summary>
public static partial class HookTemplate
{
    /// <summary>Placeholders of a text that stand for nothing.</summary>
    public static IReadOnlyList<string> Unknown(string text) =>
        [.. Placeholder().Matches(text).Select(match => match.Groups[1].Value).Where(name => !HookContext.FactNames.Contains(name)).Distinct(StringComparer.Ordinal)];

    /// <summary>The text as it is: arguments, header fields, variables.</summary>
    public static string Fill(string text, HookContext context, HookMoment moment) => Fill(text, context, moment, value => value);

    /// <summary>Values become part of an address.</summary>
    public static string FillUrl(string text, HookContext context, HookMoment moment) => Fill(text, context, moment, Uri.EscapeDataString);

    /// <summary>Values become part of a JSON string.</summary>
    public static string FillBody(string text, HookContext context, HookMoment moment) => Fill(text, context, moment, value => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value));

    private static string Fill(string text, HookContext context, HookMoment moment, Func<string, string> escape)
    {
        ArgumentNullException.ThrowIfNull(context);
        var facts = context.Facts(moment).ToDictionary(fact => fact.Name, fact => fact.Value, StringComparer.Ordinal);
        return Placeholder().Replace(text, match => facts.TryGetValue(match.Groups[1].Value, out var value) ? escape(value) : match.Value);
    }

    [GeneratedRegex(@"\{\{\s*([A-Za-z]+)\s*\}\}")]
    private static partial Regex Placeholder();
}

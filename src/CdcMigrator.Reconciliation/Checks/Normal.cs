using System.Text.RegularExpressions;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>Expressions and definitions as catalogs of different versions and schemas print them, brought to one form. Pure.</summary>
internal static partial class Normal
{
    /// <summary>An expression without qualified names, type casts of literals, quotes of plain names, outer brackets and needless blanks; null stays null.</summary>
    public static string? Expression(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var plain = Blanks().Replace(Casts().Replace(Qualifier().Replace(text, ""), ""), " ").Trim();
        while (plain.StartsWith('(') && plain.EndsWith(')') && Closes(plain) == plain.Length - 1)
        {
            plain = plain[1..^1].Trim();
        }

        return plain;
    }

    /// <summary>A constraint's definition without qualified names and NOT VALID, which says nothing of what it demands.</summary>
    public static string Definition(string text) => Expression(text.Replace(" NOT VALID", "", StringComparison.Ordinal))!;

    private static int Closes(string text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A schema in front of a name, also inside the literal of <c>nextval('crm.seq'::regclass)</c>.</summary>
    [GeneratedRegex("""(?:"[^"]+"|(?<![\w"])[A-Za-z_]\w*)\.(?=["A-Za-z_])""")]
    private static partial Regex Qualifier();

    [GeneratedRegex(@"(?<=')::[a-z_ ]+(?:\(\d+(?:,\d+)?\))?(?:\[\])?")]
    private static partial Regex Casts();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}

using System.Buffers;
using System.Globalization;
using System.Text;

namespace CdcMigrator.Domain.Comparing;

/// <summary>
/// Values brought into their form here: rows hashed here, and keys from elsewhere than a query (the log, dead letters). Twice is once. Pure.
/// </summary>
public static class CanonicalText
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    /// <summary>A value's text in its column's form. Text that is none of the form's kind stays as it is, and so equals none that is.</summary>
    public static string Of(CanonicalForm form, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return form switch
        {
            CanonicalForm.TrimmedNumber => Number(text),
            CanonicalForm.Double => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number.ToString("R", CultureInfo.InvariantCulture) : text,
            CanonicalForm.Unpadded => text.TrimEnd(' '),
            CanonicalForm.Json => CanonicalJson.Of(text),
            CanonicalForm.Hex => text.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant(),
            CanonicalForm.Array => Array(text),
            CanonicalForm.Point => Point(text),
            _ => text,
        };
    }

    /// <summary>Brings a whole row's values into their forms, in place.</summary>
    public static void Normalise(ComparedTable table, Span<string?> row)
    {
        ArgumentNullException.ThrowIfNull(table);
        for (var i = 0; i < row.Length; i++)
        {
            if (table.Columns[i].Form != CanonicalForm.Text && row[i] is { } text)
            {
                row[i] = Of(table.Columns[i].Form, text);
            }
        }
    }

    private static string Number(string text)
    {
        var negative = text.StartsWith('-');
        var digits = text.AsSpan(negative ? 1 : 0);
        if (digits.IsEmpty || digits.ContainsAnyExcept(NumberCharacters))
        {
            return text;
        }

        digits = digits.Contains('.') ? digits.TrimEnd('0').TrimEnd('.') : digits;
        digits = digits.TrimStart('0');
        if (digits.Length == text.Length - (negative ? 1 : 0) && digits[0] != '.')
        {
            return text;
        }

        return digits.IsEmpty ? "0" : $"{(negative ? "-" : "")}{(digits[0] == '.' ? "0" : "")}{digits}";
    }

    /// <summary>An array's text with every element quoted, which PostgreSQL does only where it must.</summary>
    private static string Array(string text)
    {
        var output = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '{' or '}' or ',')
            {
                output.Append(text[i]);
                continue;
            }

            var element = new StringBuilder();
            var quoted = text[i] == '"';
            for (i += quoted ? 1 : 0; i < text.Length && (quoted ? text[i] != '"' : text[i] is not (',' or '}' or '{')); i++)
            {
                i += text[i] == '\\' && i + 1 < text.Length ? 1 : 0;
                element.Append(text[i]);
            }

            i -= quoted ? 0 : 1;
            output.Append(!quoted && element.ToString() == "NULL" ? "NULL" : $"\"{element.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"");
        }

        return output.ToString();
    }

    private static string Point(string text)
    {
        var parts = text.Trim('(', ')').Split(',');
        return parts.Length == 2 ? $"({Of(CanonicalForm.Double, parts[0])},{Of(CanonicalForm.Double, parts[1])})" : text;
    }
}

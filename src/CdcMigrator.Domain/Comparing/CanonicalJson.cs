using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CdcMigrator.Domain.Comparing;

/// <summary>
/// JSON as text that is equal exactly where jsonb would be: no blanks, members by name, of members of one name the last, strings without needless escapes, numbers
/// written out with the digits they have behind the point (1 is not 1.0, as jsonb prints them). Pure.
/// </summary>
public static class CanonicalJson
{
    private const int MostExponent = 200_000;
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 10_000 };

    /// <summary>The canonical text; text that is no JSON as it stands, marked, so that it equals no JSON.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            using var document = JsonDocument.Parse(text, Options);
            var canonical = new StringBuilder(text.Length);
            Write(document.RootElement, canonical);
            return canonical.ToString();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return $"not JSON: {text}";
        }
    }

    private static void Write(JsonElement element, StringBuilder output)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var members = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
                foreach (var member in element.EnumerateObject())
                {
                    members[member.Name] = member.Value;
                }

                output.Append('{');
                foreach (var (name, value) in members)
                {
                    output.Append(output[^1] == '{' ? "" : ",");
                    WriteString(name, output);
                    output.Append(':');
                    Write(value, output);
                }

                output.Append('}');
                break;
            case JsonValueKind.Array:
                output.Append('[');
                foreach (var item in element.EnumerateArray())
                {
                    output.Append(output[^1] == '[' ? "" : ",");
                    Write(item, output);
                }

                output.Append(']');
                break;
            case JsonValueKind.String:
                WriteString(element.GetString()!, output);
                break;
            case JsonValueKind.Number:
                output.Append(Number(element.GetRawText()));
                break;
            default:
                output.Append(element.GetRawText());
                break;
        }
    }

    private static void WriteString(string text, StringBuilder output)
    {
        output.Append('"');
        foreach (var character in text)
        {
            _ = character is '"' or '\\' ? output.Append('\\').Append(character) : output.Append(character);
        }

        output.Append('"');
    }

    /// <summary>As numeric prints it: no exponent, no sign of zero, as many digits behind the point as were written there and the exponent leaves.</summary>
    private static string Number(string text)
    {
        var negative = text[0] == '-';
        var e = text.AsSpan().IndexOfAny('e', 'E');
        var mantissa = text.AsSpan(negative ? 1 : 0, (e < 0 ? text.Length : e) - (negative ? 1 : 0));
        if (!int.TryParse(e < 0 ? "0" : text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) || Math.Abs(exponent) > MostExponent)
        {
            return text;
        }

        var point = mantissa.IndexOf('.');
        var whole = (point < 0 ? mantissa : mantissa[..point]).ToString();
        var fraction = point < 0 ? "" : mantissa[(point + 1)..].ToString();
        var scale = Math.Max(0, fraction.Length - exponent);
        var digits = whole + fraction;
        var places = whole.Length + exponent;
        if (places <= 0)
        {
            digits = new string('0', 1 - places) + digits;
            places = 1;
        }

        digits = digits.PadRight(places + scale, '0');
        var left = digits[..places].TrimStart('0');
        var right = digits[places..(places + scale)];
        var number = $"{(left.Length == 0 ? "0" : left)}{(right.Length == 0 ? "" : ".")}{right}";
        return negative && number.AsSpan().IndexOfAnyExcept('0', '.') >= 0 ? $"-{number}" : number;
    }
}

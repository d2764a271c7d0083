using System.Text;

namespace CdcMigrator.Domain.Tables;

/// <summary>What the migration file says of one column of a MariaDB or MySQL source. The same holds for events, snapshot rows and values read by key.</summary>
public sealed record ColumnMapping
{
    /// <summary>A column of which the file says nothing.</summary>
    public static ColumnMapping None { get; } = new();

    /// <summary>The PostgreSQL type the target's column is to have; empty where any that fits will do.</summary>
    public string As { get; init; } = "";

    /// <summary>What becomes of <c>0000-00-00</c>.</summary>
    public DateRule ZeroDate { get; init; }

    /// <summary>What becomes of dates like <c>2024-00-10</c> and <c>2024-05-00</c>.</summary>
    public DateRule PartialDate { get; init; }

    /// <summary>What becomes of U+0000 in text and in the strings of JSON.</summary>
    public NulRule NulCharacter { get; init; }

    /// <summary>In a boolean column any number but 0 is true.</summary>
    public bool NonZeroIsTrue { get; init; }

    /// <summary>How a <c>binary(16)</c> holds a uuid.</summary>
    public UuidFormat UuidFormat { get; init; }

    /// <summary>Labels of an enum or members of a set that have another name in the target.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether a NULL or a default in an event may stand for a date the file has a rule for, so that the source is to be asked.</summary>
    public bool AsksForDates => ZeroDate.Action is not (DateAction.ByTarget or DateAction.Null) || PartialDate.Action is not (DateAction.ByTarget or DateAction.Null);

    /// <summary>What to do about a value that is refused: mend it, or set what lets it pass.</summary>
    public static string Fix(TableName table, string column, string setting) =>
        $"Mend the value in the source, or set 'columns: {{ {column}: {{ {setting} }} }}' for {table} in the migration file";

    /// <summary>A label's name in the target.</summary>
    public string LabelOf(string label) => Labels.GetValueOrDefault(label, label);

    /// <summary>A label's name in the source.</summary>
    public string SourceLabelOf(string label) => Labels.FirstOrDefault(pair => pair.Value == label).Key ?? label;

    /// <summary>Text without U+0000, as the rule wants it.</summary>
    /// <param name="text">The text, or JSON.</param>
    /// <param name="json">Also the escaped form in strings of JSON, which PostgreSQL's jsonb cannot hold.</param>
    public string WithoutNul(string text, bool json)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (NulCharacter == NulRule.Refuse)
        {
            return text;
        }

        text = text.Replace("\0", NulCharacter == NulRule.Replace ? "\uFFFD" : "", StringComparison.Ordinal);
        return json ? WithoutEscapedNul(text) : text;
    }

    private string WithoutEscapedNul(string json)
    {
        const string Escape = "\\u0000";
        if (!json.Contains(Escape, StringComparison.Ordinal))
        {
            return json;
        }

        var text = new StringBuilder(json.Length);
        for (var i = 0; i < json.Length; i++)
        {
            if (json[i] != '\\')
            {
                text.Append(json[i]);
            }
            else if (json.AsSpan(i).StartsWith(Escape, StringComparison.Ordinal))
            {
                text.Append(NulCharacter == NulRule.Replace ? "\\ufffd" : "");
                i += Escape.Length - 1;
            }
            else
            {
                // With what it escapes, which may be a backslash itself.
                text.Append(json, i, Math.Min(2, json.Length - i));
                i++;
            }
        }

        return text.ToString();
    }

    /// <summary>Turns the bytes of a stored uuid into the order of its text, in place.</summary>
    public void ToUuidOrder(Span<byte> bytes)
    {
        if (UuidFormat == UuidFormat.TimeSwapBinary16)
        {
            Span<byte> head = stackalloc byte[8];
            bytes[4..8].CopyTo(head);
            bytes[2..4].CopyTo(head[4..]);
            bytes[..2].CopyTo(head[6..]);
            head.CopyTo(bytes);
        }
        else if (UuidFormat == UuidFormat.LittleEndianBinary16)
        {
            SwapLittleEndian(bytes);
        }
    }

    /// <summary>Turns the bytes of a uuid into the order in which the source stores them, in place.</summary>
    public void FromUuidOrder(Span<byte> bytes)
    {
        if (UuidFormat == UuidFormat.TimeSwapBinary16)
        {
            Span<byte> head = stackalloc byte[8];
            bytes[6..8].CopyTo(head);
            bytes[4..6].CopyTo(head[2..]);
            bytes[..4].CopyTo(head[4..]);
            head.CopyTo(bytes);
        }
        else if (UuidFormat == UuidFormat.LittleEndianBinary16)
        {
            SwapLittleEndian(bytes);
        }
    }

    private static void SwapLittleEndian(Span<byte> bytes)
    {
        bytes[..4].Reverse();
        bytes[4..6].Reverse();
        bytes[6..8].Reverse();
    }
}

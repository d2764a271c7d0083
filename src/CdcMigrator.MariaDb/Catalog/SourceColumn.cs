namespace CdcMigrator.MariaDb.Catalog;

/// <summary>A column as <c>information_schema.columns</c> has it.</summary>
/// <param name="Name">Name.</param>
/// <param name="Type">Type without modifiers, lower case: <c>bigint</c>, <c>enum</c>.</param>
/// <param name="Declared">Type as declared: <c>bigint(20) unsigned</c>, <c>enum('a','b')</c>.</param>
public sealed record SourceColumn(string Name, string Type, string Declared)
{
    /// <summary>May be NULL.</summary>
    public bool Nullable { get; init; }

    /// <summary>Computed from others, stored or virtual.</summary>
    public bool Generated { get; init; }

    /// <summary>The default as SQL or text; null where there is none.</summary>
    public string? Default { get; init; }

    /// <summary>Whether there is a default other than NULL, which MariaDB shows as that word.</summary>
    public bool HasDefault => Default is not null && !Default.Equals("NULL", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The default that the connector puts in place of a zero date, without quotes; null where it would be 1970-01-01, as for a column without default
    /// or with the present time for it.
    /// </summary>
    public string? ZeroDateDefault
    {
        get
        {
            var text = HasZeroDates && !Nullable && HasDefault ? Default!.Trim('\'') : "";
            return text.Length == 0 || text.StartsWith("current_timestamp", StringComparison.OrdinalIgnoreCase) || text.StartsWith("0000-00-00", StringComparison.Ordinal) ? null : text;
        }
    }

    /// <summary>Length of char, binary and their kin in characters or bytes; bits of bit(n). 0 where there is none.</summary>
    public long Length { get; init; }

    /// <summary>Digits of a decimal.</summary>
    public int Precision { get; init; }

    /// <summary>Digits of a decimal behind the point.</summary>
    public int Scale { get; init; }

    /// <summary>Character set of text; empty for other types.</summary>
    public string CharacterSet { get; init; } = "";

    /// <summary>Unsigned number.</summary>
    public bool Unsigned => Declared.Contains("unsigned", StringComparison.Ordinal);

    /// <summary>date, datetime or timestamp: types with zero dates.</summary>
    public bool HasZeroDates => Type is "date" or "datetime" or "timestamp";

    /// <summary>Text under a collation, in which different texts may be equal.</summary>
    public bool IsText => CharacterSet.Length > 0;

    /// <summary>Labels of an enum or members of a set, in their order; empty for other types.</summary>
    public IReadOnlyList<string> Labels => Type is "enum" or "set" ? [.. ReadLabels(Declared)] : [];

    private static IEnumerable<string> ReadLabels(string declared)
    {
        var label = new System.Text.StringBuilder();
        var inside = false;
        for (var i = 0; i < declared.Length; i++)
        {
            if (declared[i] != '\'')
            {
                _ = inside ? label.Append(declared[i]) : label;
            }
            else if (inside && i + 1 < declared.Length && declared[i + 1] == '\'')
            {
                label.Append(declared[i++]);
            }
            else if (inside)
            {
                yield return label.ToString();
                label.Clear();
                inside = false;
            }
            else
            {
                inside = true;
            }
        }
    }
}

namespace CdcMigrator.Domain.Tables;

/// <summary>Schema-qualified name, exactly as the catalog spells it (unquoted, case kept). For MariaDB the schema is the database.</summary>
public readonly record struct TableName(string Schema, string Name) : IComparable<TableName>
{
    /// <summary>Reads <c>schema.table</c>. Parts may be double-quoted, with <c>""</c> for a quote; an unquoted part is taken as it stands.</summary>
    /// <exception cref="FormatException">The text is not two parts joined by a dot.</exception>
    public static TableName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = new List<string>(2);
        var index = 0;
        while (index < text.Length)
        {
            parts.Add(ReadPart(text, ref index));
            if (index < text.Length && text[index++] != '.')
            {
                throw Malformed(text);
            }

            if (index == text.Length && text[^1] == '.')
            {
                throw Malformed(text);
            }
        }

        return parts is [{ Length: > 0 } schema, { Length: > 0 } name] ? new TableName(schema, name) : throw Malformed(text);
    }

    /// <summary>The name quoted for SQL: <c>"public"."orders"</c>.</summary>
    public string Sql => $"{Quote(Schema)}.{Quote(Name)}";

    /// <summary>Quotes one identifier for SQL.</summary>
    public static string Quote(string identifier)
    {
        ArgumentNullException.ThrowIfNull(identifier);
        return $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary><c>schema.table</c>, the form used in files and messages.</summary>
    public override string ToString() => $"{Schema}.{Name}";

    /// <summary>Ordinal, schema first.</summary>
    public int CompareTo(TableName other)
    {
        var bySchema = string.CompareOrdinal(Schema, other.Schema);
        return bySchema != 0 ? bySchema : string.CompareOrdinal(Name, other.Name);
    }

    /// <summary>Sorts before.</summary>
    public static bool operator <(TableName left, TableName right) => left.CompareTo(right) < 0;

    /// <summary>Sorts after.</summary>
    public static bool operator >(TableName left, TableName right) => left.CompareTo(right) > 0;

    /// <summary>Sorts before or equal.</summary>
    public static bool operator <=(TableName left, TableName right) => left.CompareTo(right) <= 0;

    /// <summary>Sorts after or equal.</summary>
    public static bool operator >=(TableName left, TableName right) => left.CompareTo(right) >= 0;

    private static string ReadPart(string text, ref int index)
    {
        if (text[index] != '"')
        {
            var dot = text.IndexOf('.', index);
            var end = dot < 0 ? text.Length : dot;
            var plain = text[index..end];
            index = end;
            return plain;
        }

        var builder = new System.Text.StringBuilder();
        for (index++; index < text.Length; index++)
        {
            if (text[index] != '"')
            {
                builder.Append(text[index]);
            }
            else if (index + 1 < text.Length && text[index + 1] == '"')
            {
                builder.Append('"');
                index++;
            }
            else
            {
                index++;
                return builder.ToString();
            }
        }

        throw Malformed(text);
    }

    private static FormatException Malformed(string text) => new($"'{text}' is not a table name of the form schema.table");
}

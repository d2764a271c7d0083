namespace CdcMigrator.Reconciliation.Benchmarking;

/// <summary>What can be told of a query by its text, with strings, quoted names, comments and parentheses read as PostgreSQL does. Pure.</summary>
public sealed class QueryText
{
    private readonly List<(string Word, int Depth)> words = [];
    private bool ended;

    private QueryText()
    {
    }

    /// <summary>It begins with SELECT, WITH, VALUES or TABLE: what else begins with these words and writes is refused by a read-only transaction.</summary>
    public bool IsQuery => words.Count > 0 && words[0].Word is "select" or "with" or "values" or "table";

    /// <summary>The result's order is asked for.</summary>
    public bool IsOrdered => Enumerable.Range(0, Math.Max(0, words.Count - 1)).Any(i => words[i] is ("order", 0) && words[i + 1] is ("by", 0));

    /// <summary>Another statement follows.</summary>
    public bool IsSeveral { get; private set; }

    /// <summary>It holds <c>$1</c> in the place of a value.</summary>
    public bool HasParameters { get; private set; }

    /// <summary>It asks the server's own tables or functions, the clock or chance: its answer belongs to one server and moment.</summary>
    public bool IsOfServer => words.Any(word => word.Word.StartsWith("pg_", StringComparison.Ordinal) || word.Word is "information_schema" or "now" or "random" or "current_timestamp" or "nextval");

    /// <summary>Reads a text.</summary>
    public static QueryText Read(string sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var text = new QueryText();
        var (i, depth) = (0, 0);
        while (i < sql.Length)
        {
            var c = sql[i];
            if (c is '\'' or '"' or '`')
            {
                i = Closing(sql, i, c);
            }
            else if (sql.AsSpan(i).StartsWith("--"))
            {
                i = sql.IndexOf('\n', i) is >= 0 and var end ? end : sql.Length;
                continue;
            }
            else if (sql.AsSpan(i).StartsWith("/*"))
            {
                i = sql.IndexOf("*/", i + 2, StringComparison.Ordinal) is >= 0 and var end ? end + 2 : sql.Length;
                continue;
            }
            else if (c == '$')
            {
                i = text.Dollar(sql, i);
                continue;
            }
            else if (char.IsLetter(c) || c == '_')
            {
                i = text.Word(sql, i, depth);
                continue;
            }

            depth += c is '(' ? 1 : c is ')' ? -1 : 0;
            text.ended |= c == ';';
            text.IsSeveral |= text.ended && c != ';' && !char.IsWhiteSpace(c);
            i++;
        }

        return text;
    }

    private static int Closing(string sql, int from, char quote) => sql.IndexOf(quote, from + 1) is >= 0 and var end ? end : sql.Length - 1;

    private int Word(string sql, int from, int depth)
    {
        var end = from;
        while (end < sql.Length && (char.IsLetterOrDigit(sql[end]) || sql[end] is '_' or '$'))
        {
            end++;
        }

        IsSeveral |= ended;
        words.Add((sql[from..end].ToLowerInvariant(), depth));
        return end;
    }

    /// <summary>A parameter, or text between two equal tags.</summary>
    private int Dollar(string sql, int from)
    {
        if (from + 1 < sql.Length && char.IsAsciiDigit(sql[from + 1]))
        {
            HasParameters = true;
            return from + 2;
        }

        var tag = sql.IndexOf('$', from + 1);
        if (tag < 0)
        {
            return sql.Length;
        }

        var closing = sql.IndexOf(sql[from..(tag + 1)], tag + 1, StringComparison.Ordinal);
        return closing < 0 ? sql.Length : closing + (tag + 1 - from);
    }
}

using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>The aggregates an audit computes of one column, all in the same pass over the table, and what their answers mean. Pure.</summary>
internal sealed class ColumnAggregates
{
    /// <summary>PostgreSQL takes 1,664 expressions a query.</summary>
    public const int MostInAQuery = 1600;

    private readonly CatalogColumn column;
    private readonly List<(string Name, string Sql)> asked = [];

    /// <param name="column">The column.</param>
    /// <param name="server">Version of the server, as <c>server_version_num</c>.</param>
    /// <param name="isUtf8">Its encoding is UTF8, so that bytes beyond characters are characters beyond ASCII.</param>
    public ColumnAggregates(CatalogColumn column, int server, bool isUtf8)
    {
        this.column = column;
        var sql = TableName.Quote(column.Column.Name);
        var type = column.Column.Type;
        Ask(ColumnProfile.AskedNulls, $"count(*) - count({sql})");
        switch (type.Kind)
        {
            case ColumnKind.Text when type.BaseName is "text" or "varchar" or "bpchar" or "citext" or "name":
                Text($"{sql}::text", isUtf8);
                break;
            case ColumnKind.Text when type.BaseName is "json":
                Count(ValueOddity.Nul, $"strpos({sql}::text, '\\u0000') > 0");
                Lengths($"octet_length({sql}::text)");
                break;
            case ColumnKind.Bytes:
                Count(ValueOddity.Empty, $"octet_length({sql}) = 0");
                Lengths($"octet_length({sql})");
                break;
            case ColumnKind.Integer or ColumnKind.Money or ColumnKind.Time or ColumnKind.TimeTz or ColumnKind.Interval:
                Extremes(sql, "");
                break;
            case ColumnKind.Float or ColumnKind.Numeric:
                // Before version 14 numeric has no infinities, and refuses the word.
                var infinities = type.Kind == ColumnKind.Float || server >= 140000;
                Extremes(sql, $" filter (where {sql} <> 'NaN'{(infinities ? $" and {sql} not in ('Infinity', '-Infinity')" : "")})");
                Count(ValueOddity.NotANumber, $"{sql} = 'NaN'");
                if (infinities)
                {
                    Count(ValueOddity.Infinite, $"{sql} in ('Infinity', '-Infinity')");
                }

                break;
            case ColumnKind.Date or ColumnKind.Timestamp or ColumnKind.TimestampTz:
                Extremes(sql, $" filter (where isfinite({sql}))");
                Count(ValueOddity.Infinite, $"not isfinite({sql})");
                Count(ValueOddity.BeforeChrist, $"{sql} < '0001-01-01' and isfinite({sql})");
                Count(ValueOddity.FarFuture, $"{sql} >= '10000-01-01' and isfinite({sql})");
                break;
            default:
                if (column.Toastable)
                {
                    Lengths($"octet_length({sql}::text)");
                }

                break;
        }
    }

    /// <summary>SQL expressions, each of one value.</summary>
    public IEnumerable<string> Sql => asked.Select(question => question.Sql);

    /// <summary>How many there are.</summary>
    public int Asked => asked.Count;

    /// <summary>The column's profile.</summary>
    /// <param name="answers">Values of <see cref="Sql"/> as text, in its order; null for NULL.</param>
    public ColumnProfile Read(ReadOnlySpan<string?> answers)
    {
        var profile = new ColumnProfile(column.Column.Name, column.Declared) { Nullable = !column.Column.NotNull };
        for (var i = 0; i < asked.Count; i++)
        {
            profile = profile.With(asked[i].Name, answers[i]);
        }

        return profile;
    }

    private void Text(string text, bool isUtf8)
    {
        Count(ValueOddity.Empty, $"{text} = ''");
        Count(ValueOddity.Padded, $"btrim({text}, E' \\t\\n\\r') <> {text}");
        Count(ValueOddity.NonAscii, isUtf8 ? $"octet_length({text}) <> char_length({text})" : $"{text} ~ '[^\\u0001-\\u007f]'");
        if (isUtf8)
        {
            Count(ValueOddity.Replacement, $"strpos({text}, E'\\uFFFD') > 0");
        }

        Lengths($"octet_length({text})");
    }

    private void Lengths(string length)
    {
        Ask(ColumnProfile.AskedLongest, $"max({length})");
        Count(ValueOddity.OverMegabyte, $"{length} > {ValueRules.MessageBytes.ToString(CultureInfo.InvariantCulture)}");
    }

    private void Extremes(string sql, string filter)
    {
        Ask(ColumnProfile.AskedMin, $"min({sql}){filter}");
        Ask(ColumnProfile.AskedMax, $"max({sql}){filter}");
    }

    private void Count(string oddity, string condition) => Ask(oddity, $"count(*) filter (where {condition})");

    private void Ask(string name, string sql) => asked.Add((name, sql));
}

using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Preflight;

namespace CdcMigrator.MariaDb.Auditing;

/// <summary>The aggregates an audit computes of one column, all in the same pass over the table, and what their answers mean. Pure.</summary>
internal sealed class ColumnSums
{
    private readonly SourceColumn column;
    private readonly List<(string Name, string Sql)> asked = [];

    /// <param name="column">The column.</param>
    /// <param name="isJson">It is JSON, which MariaDB keeps as text.</param>
    public ColumnSums(SourceColumn column, bool isJson)
    {
        this.column = column;
        var name = MariaDbConnections.Quote(column.Name);
        Ask(ColumnProfile.AskedNulls, $"count(*) - count({name})");
        switch (column.Type)
        {
            case "enum":
                Count(ValueOddity.EnumIndexZero, $"{name} + 0 = 0");
                break;
            case "set":
                break;
            case "date" or "datetime" or "timestamp":
                Extremes(name);
                Count(ValueOddity.ZeroDate, ValueProbe.ZeroDate(name));
                Count(ValueOddity.PartialDate, ValueProbe.PartialDate(name));
                break;
            case "time":
                Extremes(name);
                Count(ValueOddity.NoTimeOfDay, $"{name} < 0 or {name} > '24:00:00'");
                break;
            case "year":
                Extremes(name);
                Count(ValueOddity.YearZero, $"{name} = 0");
                break;
            case "bit":
                Extremes($"({name} + 0)");
                break;
            case "tinyint" or "smallint" or "mediumint" or "int" or "bigint" or "decimal" or "float" or "double":
                Extremes(name);
                if (column.Declared.StartsWith("tinyint(1)", StringComparison.Ordinal))
                {
                    Count(ValueOddity.NotBoolean, $"{name} not in (0, 1)");
                }

                if (column is { Type: "bigint", Unsigned: true })
                {
                    Count(ValueOddity.BeyondBigint, $"{name} > 9223372036854775807");
                }

                break;
            default:
                if (isJson || column.Type == "json")
                {
                    Count(ValueOddity.Nul, $"locate('\\\\u0000', {name}) > 0");
                }
                else if (column.IsText)
                {
                    Text(name);
                }

                Count(ValueOddity.Empty, $"octet_length({name}) = 0");
                Ask(ColumnProfile.AskedLongest, $"max(octet_length({name}))");
                Count(ValueOddity.OverMegabyte, $"octet_length({name}) > {ValueRules.MessageBytes.ToString(CultureInfo.InvariantCulture)}");
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
        var profile = new ColumnProfile(column.Name, column.Declared) { Nullable = column.Nullable };
        for (var i = 0; i < asked.Count; i++)
        {
            profile = profile.With(asked[i].Name, answers[i]);
        }

        return profile;
    }

    /// <summary>Compared by bytes: under most collations U+0000 is nothing, and U+FFFD every character beyond 16 bits.</summary>
    private void Text(string name)
    {
        var bytes = $"cast(convert({name} using utf8mb4) as binary)";
        Count(ValueOddity.Padded, $"char_length(trim({name})) <> char_length({name})");
        Count(ValueOddity.NonAscii, $"octet_length(convert({name} using utf8mb4)) <> char_length({name})");
        Count(ValueOddity.Replacement, $"locate(x'EFBFBD', {bytes}) > 0");
        Count(ValueOddity.Nul, $"locate(x'00', {bytes}) > 0");
    }

    private void Extremes(string sql)
    {
        Ask(ColumnProfile.AskedMin, $"cast(min({sql}) as char)");
        Ask(ColumnProfile.AskedMax, $"cast(max({sql}) as char)");
    }

    private void Count(string oddity, string condition) => Ask(oddity, $"coalesce(sum({condition}), 0)");

    private void Ask(string name, string sql) => asked.Add((name, sql));
}

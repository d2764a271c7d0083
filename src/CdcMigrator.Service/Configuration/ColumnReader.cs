using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Service.Configuration;

/// <summary>Reads what a table's entry says of single columns.</summary>
internal static class ColumnReader
{
    public static IReadOnlyDictionary<string, ColumnMapping> Read(SectionReader entry, SourceKind source)
    {
        var sections = entry.Sections("columns");
        if (sections.Count > 0 && source == SourceKind.PostgreSql)
        {
            entry.Fail("columns", "columns are mapped for MariaDB and MySQL sources only; PostgreSQL's values arrive as they are");
        }

        return sections.ToDictionary(pair => pair.Key, pair => Column(pair.Value), StringComparer.Ordinal);
    }

    private static ColumnMapping Column(SectionReader section) => new()
    {
        As = section.Text("as", ""),
        ZeroDate = Rule(section, "zeroDate", "null, epoch, -infinity, refuse, or a date like 2000-01-01", DateAction.First),
        PartialDate = Rule(section, "partialDate", "null, first, epoch, -infinity, refuse, or a date like 2000-01-01"),
        NulCharacter = section.Choice("nulCharacter", NulRule.Refuse, ("refuse", NulRule.Refuse), ("strip", NulRule.Strip), ("replace", NulRule.Replace)),
        NonZeroIsTrue = section.Choice("nonBoolean", false, ("refuse", false), ("true", true)),
        UuidFormat = section.Choice("uuidFormat", UuidFormat.Binary16, ("binary16", UuidFormat.Binary16), ("timeSwapBinary16", UuidFormat.TimeSwapBinary16), ("littleEndianBinary16", UuidFormat.LittleEndianBinary16)),
        Labels = section.Map("labels"),
    };

    private static DateRule Rule(SectionReader section, string key, string form, DateAction? except = null)
    {
        if (section.Word(key) is not { } text)
        {
            return default;
        }

        if (DateRule.Parse(text) is { } rule && rule.Action != except)
        {
            return rule;
        }

        section.Fail(key, $"{key} is '{text}' but must be {form}");
        return default;
    }
}

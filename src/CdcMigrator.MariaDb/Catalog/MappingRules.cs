using CdcMigrator.Domain.Tables;

namespace CdcMigrator.MariaDb.Catalog;

/// <summary>Which settings of a column go with which types. A setting that does nothing is a mistake: whoever wrote it expects something. Pure.</summary>
internal static class MappingRules
{
    /// <summary>Why a column's settings cannot be followed; null where they can.</summary>
    public static string? Refuse(SourceColumn column, ColumnType target, ColumnMapping mapping, bool isKey)
    {
        var isText = target.Kind == ColumnKind.Text && (column.IsText || column.Type == "json");
        return
            Wrong(mapping.ZeroDate != default, column.HasZeroDates, "zeroDate", "date, datetime and timestamp")
            ?? Wrong(mapping.PartialDate != default, column.HasZeroDates, "partialDate", "date, datetime and timestamp")
            ?? Wrong(mapping.NulCharacter != NulRule.Refuse, isText, "nulCharacter", "text")
            ?? Wrong(mapping.NonZeroIsTrue, column.Type == "tinyint" && target.Kind == ColumnKind.Boolean, "nonBoolean", "a tinyint that goes to a boolean")
            ?? Wrong(mapping.UuidFormat != UuidFormat.Binary16, column.Type == "binary" && target.BaseName == "uuid", "uuidFormat", "a binary(16) that goes to a uuid")
            ?? Wrong(mapping.Labels.Count > 0, column.Type is "enum" or "set", "labels", "enum and set")
            ?? (mapping.Labels.Keys.FirstOrDefault(label => !column.Labels.Contains(label)) is { } unknown ? $"'{unknown}' is no label of it" : null)
            ?? (isKey && (mapping.ZeroDate != default || mapping.PartialDate != default || mapping.NulCharacter != NulRule.Refuse || mapping.NonZeroIsTrue)
                ? "rows of a key could become one, and are not found again" : null)
            ?? (isKey && column.Labels.Select(mapping.LabelOf).Distinct(StringComparer.Ordinal).Count() < column.Labels.Count ? "two labels of a key would become one" : null);
    }

    private static string? Wrong(bool isSet, bool applies, string setting, string what) => isSet && !applies ? $"'{setting}' is for {what}" : null;
}

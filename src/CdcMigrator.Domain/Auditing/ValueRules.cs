using System.Globalization;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Auditing;

/// <summary>What follows from the values a column was found to hold. Pure.</summary>
public static class ValueRules
{
    /// <summary>What Kafka's brokers take in one message unless told otherwise, less a row's other columns.</summary>
    public const long MessageBytes = 1_000_000;

    /// <summary>The findings of one column.</summary>
    /// <param name="mapping">The table in the migration file.</param>
    /// <param name="column">What was counted.</param>
    /// <param name="maxRecordBytes">Largest record the migration accepts, in bytes.</param>
    public static IEnumerable<Finding> Of(TableMapping mapping, ColumnProfile column, long maxRecordBytes)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        ArgumentNullException.ThrowIfNull(column);
        foreach (var (oddity, count) in column.Oddities.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (Find(mapping, column, oddity, Rows(count), maxRecordBytes) is { } finding)
            {
                yield return finding with { Table = mapping.Source.ToString(), Column = column.Name };
            }
        }
    }

    private static Finding? Find(TableMapping mapping, ColumnProfile column, string oddity, string rows, long maxRecordBytes)
    {
        var where = $"Column {column.Name} of {mapping.Source}";
        var rules = mapping.Columns.GetValueOrDefault(column.Name) ?? ColumnMapping.None;
        string Fix(string setting) => ColumnMapping.Fix(mapping.Source, column.Name, setting);
        return oddity switch
        {
            ValueOddity.OverMegabyte when column.LongestBytes > maxRecordBytes => new(Severity.Error, "large-value", $"{where} holds {rows} of more than 1 MB, the longest {Bytes(column.LongestBytes)}: more than apply.maxRecordBytes",
                "Raise apply.maxRecordBytes, and max.message.bytes of the topic, max.request.size of the connector's producer and the memory of both"),
            ValueOddity.OverMegabyte => new(Severity.Warning, "large-value", $"{where} holds {rows} of more than 1 MB, the longest {Bytes(column.LongestBytes)}: Kafka refuses such a message unless it is told to take it",
                "Raise max.message.bytes of the topic and producer.override.max.request.size of the connector above twice the longest value"),
            ValueOddity.Padded => new(Severity.Info, "padded-text", $"{where} holds {rows} with white space at an end", "Nothing to do for the move; comparisons in other code may trim it"),
            ValueOddity.Replacement => new(Severity.Warning, "replacement-character", $"{where} holds {rows} with U+FFFD, the trace of text that was damaged before", "Mend the text in the source if it is to be mended: the move keeps it as it is"),
            ValueOddity.Nul when column.Type is "json" => new(Severity.Warning, "nul-character", $"{where} holds {rows} with an escaped U+0000, which jsonb and ->> refuse", "Keep the target's column json, or mend the values in the source"),
            ValueOddity.Nul when rules.NulCharacter == NulRule.Refuse => new(Severity.Error, "nul-character", $"{where} holds {rows} with U+0000, which PostgreSQL cannot store: such a row stops its lane", Fix("nulCharacter: strip")),
            ValueOddity.NotANumber => new(Severity.Info, "nan", $"{where} holds {rows} with NaN, which PostgreSQL sorts above every number", "Nothing to do for the move"),
            ValueOddity.Infinite => new(Severity.Info, "infinite-value", $"{where} holds {rows} with an infinite value", "Nothing to do for the move where the target's column has the same type"),
            ValueOddity.BeforeChrist => new(Severity.Info, "date-bc", $"{where} holds {rows} with a date before Christ", "Nothing to do: it is read from the source again for each row of a snapshot"),
            ValueOddity.FarFuture => new(Severity.Info, "date-far", $"{where} holds {rows} with a year beyond 9999, which many programs cannot read", "Nothing to do for the move; usually a mistyped date"),
            ValueOddity.ZeroDate => Date(column, where, rows, "zero dates", rules.ZeroDate, Fix("zeroDate: epoch")),
            ValueOddity.PartialDate => Date(column, where, rows, "dates without year, month or day", rules.PartialDate, Fix("partialDate: first")),
            ValueOddity.BeyondBigint => new(Severity.Warning, "out-of-range", $"{where} holds {rows} beyond PostgreSQL's bigint: such a row would stop its lane", "Make the target's column numeric(20,0)"),
            ValueOddity.NotBoolean when !rules.NonZeroIsTrue => new(Severity.Warning, "not-boolean", $"{where} holds {rows} with other numbers than 0 and 1: a boolean in the target would refuse them", $"Make the target's column smallint; or {Fix("nonBoolean: true")}"),
            ValueOddity.EnumIndexZero => new(Severity.Warning, "enum-empty", $"{where} holds {rows} with the empty label of an invalid value, which an enum in the target does not have", "Mend the values in the source, or make the target's column text"),
            ValueOddity.NoTimeOfDay => new(Severity.Warning, "out-of-range", $"{where} holds {rows} with times that are no time of day", "Make the target's column interval"),
            ValueOddity.YearZero => new(Severity.Error, "year-zero", $"{where} holds {rows} with the year 0000, which stops the connector's snapshot", $"UPDATE … SET {column.Name} = NULL WHERE {column.Name} = 0"),
            _ => null,
        };
    }

    private static Finding? Date(ColumnProfile column, string where, string rows, string what, DateRule rule, string fix) => rule.Action switch
    {
        DateAction.ByTarget when column.Nullable => new(Severity.Warning, "zero-date", $"{where} holds {rows} with {what}, which PostgreSQL does not have: they become NULL, or stop their lane where the target is NOT NULL", $"Nothing to do if NULL is what they mean; else: {fix}"),
        DateAction.ByTarget or DateAction.Refuse => new(Severity.Error, "zero-date", $"{where} holds {rows} with {what}, which PostgreSQL does not have: such a row stops its lane", fix),
        _ => null,
    };

    private static string Rows(long count) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} value{(count == 1 ? "" : "s")}");

    private static string Bytes(long? bytes) => string.Create(CultureInfo.InvariantCulture, $"{(bytes ?? 0) / 1e6:0.0} MB");
}

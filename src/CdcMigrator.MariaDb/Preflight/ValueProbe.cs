using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;

namespace CdcMigrator.MariaDb.Preflight;

/// <summary>A value that cannot be carried as it is, and what to say where a column holds one. Pure.</summary>
/// <param name="Predicate">MariaDB's SQL that finds one.</param>
/// <param name="Found">The finding if there is one.</param>
internal sealed record ValueProbe(string Predicate, Finding Found)
{
    /// <summary>What a column is to be looked through for, given where it goes and what the migration file says of it.</summary>
    public static IEnumerable<ValueProbe> Of(SourceColumn column, TargetColumn target, ColumnMapping mapping, TableName table)
    {
        var name = MariaDbConnections.Quote(column.Name);
        return column.Type switch
        {
            "date" or "datetime" or "timestamp" => Dates(column.Name, name, target, mapping, table),
            "year" => [new($"{name} = 0", new(Severity.Error, "year-zero", $"Column {column.Name} holds the year 0000, which stops the connector's snapshot", $"UPDATE … SET {column.Name} = NULL WHERE {column.Name} = 0"))],
            "tinyint" when target.Type.Kind == ColumnKind.Boolean && !mapping.NonZeroIsTrue =>
                [new($"{name} not in (0, 1)", new(Severity.Error, "not-boolean", $"Column {column.Name} goes to a boolean and holds other numbers than 0 and 1: such a row stops its lane", ColumnMapping.Fix(table, column.Name, "nonBoolean: true")))],
            "bigint" when column.Unsigned && target.Type.Kind == ColumnKind.Integer =>
                [new($"{name} > 9223372036854775807", new(Severity.Error, "out-of-range", $"Column {column.Name} holds numbers beyond PostgreSQL's bigint", "Make the target's column numeric(20,0)"))],
            "time" when target.Type.Kind == ColumnKind.Time =>
                [new($"{name} < 0 or {name} > '24:00:00'", new(Severity.Error, "out-of-range", $"Column {column.Name} holds times that are no time of day", "Make the target's column interval"))],
            "enum" when target.Type.BaseName is not ("text" or "varchar" or "bpchar") =>
                [new($"{name} + 0 = 0", new(Severity.Error, "enum-empty", $"Column {column.Name} holds the empty label of an invalid value, which {target.Type.Sql} does not have", "Mend the value in the source, or make the target's column text"))],
            _ when mapping.NulCharacter == NulRule.Refuse && (column.IsText || column.Type == "json") => Nul(column, name, target, table),
            _ => [],
        };
    }

    /// <summary>0000-00-00, with any time of day.</summary>
    /// <param name="name">The column, quoted.</param>
    public static string ZeroDate(string name) => $"year({name}) = 0 and month({name}) = 0 and day({name}) = 0";

    /// <summary>A date without year, month or day that is no zero date.</summary>
    /// <param name="name">The column, quoted.</param>
    public static string PartialDate(string name) => $"(year({name}) = 0 or month({name}) = 0 or day({name}) = 0) and not ({ZeroDate(name)})";

    private static IEnumerable<ValueProbe> Dates(string column, string name, TargetColumn target, ColumnMapping mapping, TableName table)
    {
        foreach (var (rule, setting, what, predicate) in new[]
        {
            (mapping.ZeroDate, "zeroDate", "zero dates", ZeroDate(name)),
            (mapping.PartialDate, "partialDate", "dates without year, month or day", PartialDate(name)),
        })
        {
            var refused = rule.Action == DateAction.Refuse || (rule.Action == DateAction.ByTarget && target.NotNull);
            var choice = $"{setting}: {(setting == "zeroDate" ? "epoch" : "first")}";
            if (refused || rule.Action == DateAction.ByTarget)
            {
                yield return new(predicate, refused
                    ? new(Severity.Error, "zero-date", $"Column {column} holds {what}, which PostgreSQL does not have: such a row stops its lane", ColumnMapping.Fix(table, column, choice))
                    : new(Severity.Warning, "zero-date", $"Column {column} holds {what}: they become NULL in the target", $"Nothing to do if that is what they mean; else: {ColumnMapping.Fix(table, column, choice)}"));
            }
        }
    }

    private static IEnumerable<ValueProbe> Nul(SourceColumn column, string name, TargetColumn target, TableName table)
    {
        var finding = new Finding(Severity.Error, "nul-character", $"Column {column.Name} holds U+0000, which PostgreSQL cannot store: such a row stops its lane", ColumnMapping.Fix(table, column.Name, "nulCharacter: strip"));
        yield return new($"{name} like concat('%', char(0 using utf8mb4), '%')", finding);
        if (target.Type.BaseName == "jsonb")
        {
            yield return new($"locate('\\\\u0000', {name}) > 0", finding);
        }
    }
}

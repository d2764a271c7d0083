using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;

namespace CdcMigrator.MariaDb.Auditing;

/// <summary>What follows from the definition of a MariaDB or MySQL table, whatever it goes to. Pure.</summary>
internal static class SurveyRules
{
    private const double NearlyUsedUp = 75;

    public static IReadOnlyList<Finding> Of(SurveyedTable table, TableMapping mapping)
    {
        Finding[] findings = [.. Structure(table), .. table.Catalog.Columns.Where(column => !mapping.Exclude.Contains(column.Name)).SelectMany(OfColumn)];
        return [.. findings.Select(finding => finding with { Table = mapping.Source.ToString() })];
    }

    /// <summary>How far an AUTO_INCREMENT is; null without one.</summary>
    public static SequenceProfile? Sequence(SurveyedTable table)
    {
        if (table is not { AutoColumn: { } name, AutoIncrement: { } next } || table.Catalog.Find(name) is not { } column)
        {
            return null;
        }

        var bits = column.Type switch { "tinyint" => 8, "smallint" => 16, "mediumint" => 24, "int" => 32, _ => 64 };
        var limit = (decimal)Math.Pow(2, column.Unsigned ? bits : bits - 1);
        limit = bits == 64 ? column.Unsigned ? ulong.MaxValue : long.MaxValue : limit - 1;
        return new SequenceProfile($"{table.Catalog.Name}.{name}", next - 1, limit, Math.Round((double)((next - 1) / limit) * 100, 2));
    }

    private static IEnumerable<Finding> Structure(SurveyedTable table)
    {
        var (catalog, name) = (table.Catalog, table.Catalog.Name);
        if (catalog.Key.Count == 0)
        {
            yield return new(Severity.Error, "keyless", $"{name} has no key: its rows cannot be told apart", "ALTER TABLE … ADD PRIMARY KEY (…) on both sides");
        }
        else if (catalog.Key.Any(table.Invisible.Contains))
        {
            yield return new(Severity.Warning, "invisible-key", $"The key of {name} is invisible ({string.Join(", ", catalog.Key)}): SELECT * does not show it", "Create it in the target as an ordinary column");
        }

        if (catalog.Engine.Length > 0 && catalog.Engine is not ("InnoDB" or "RocksDB"))
        {
            yield return new(Severity.Warning, "engine", $"{name} is stored by {catalog.Engine}, without transactions: a snapshot is not consistent with the binlog, and half of a statement may stay", "ALTER TABLE … ENGINE = InnoDB before the connector starts");
        }

        foreach (var key in table.LooseKeys)
        {
            yield return new(Severity.Warning, "loose-unique-key", $"Unique key {key} of {name} has text under a collation in which different texts are equal (case, accents, blanks at the end)",
                "A unique key on text in the target accepts rows this one refuses: use citext or a nondeterministic collation there where that matters");
        }

        if (table.Triggers.Count > 0)
        {
            yield return new(Severity.Warning, "trigger", $"Triggers of {name}: {string.Join(", ", table.Triggers)}. What they write is in the binlog like any change", "Write them anew for the target, as ordinary triggers: those do not fire while changes are applied");
        }

        if (Sequence(table) is { UsedPercent: >= NearlyUsedUp } sequence)
        {
            yield return new Finding(Severity.Warning, "sequence-headroom", string.Create(CultureInfo.InvariantCulture, $"AUTO_INCREMENT of {name} has used {sequence.UsedPercent:0.#} % of its range: {sequence.LastValue} of {sequence.Limit}"), "Make the target's column bigint")
            { Column = table.AutoColumn };
        }
    }

    private static IEnumerable<Finding> OfColumn(SourceColumn column)
    {
        var found = column switch
        {
            { Type: "inet4" or "inet6" } => new Finding(Severity.Error, "inet", $"Debezium cannot read a table with a column of type {column.Type}", "ALTER TABLE … MODIFY it to varchar(39) before the connector starts"),
            { Type: "float" } => new(Severity.Info, "float", $"Column {column.Name} is float: it prints six digits and holds more", "double precision in the target; its values are read from the source by key"),
            { Type: "set" } => new(Severity.Info, "set", $"Column {column.Name} is a set of {column.Labels.Count} members", "text or text[] in the target"),
            { Type: "enum" } => new(Severity.Info, "enum", $"Column {column.Name} is an enum of {column.Labels.Count} labels", "text, or an enum with all labels, in the target"),
            { Type: "bit" } => new(Severity.Info, "bit", $"Column {column.Name} is {column.Declared}", "boolean for bit(1), else bit(n) or bytea in the target"),
            { Type: "year" } => new(Severity.Info, "year", $"Column {column.Name} is a year", "smallint in the target"),
            { Unsigned: true, Type: "bigint" } => new(Severity.Info, "unsigned", $"Column {column.Name} is {column.Declared}: up to twice what bigint takes", "bigint in the target while no value is beyond it, else numeric(20,0)"),
            { Generated: true } => new(Severity.Info, "generated", $"Column {column.Name} is generated", "Generate it in the target by an expression of its own"),
            _ => null,
        };
        if (found is not null)
        {
            yield return found with { Column = column.Name };
        }

        if (column.IsText && column.CharacterSet is not ("utf8mb4" or "ascii" or "binary"))
        {
            yield return new Finding(Severity.Info, "character-set", $"Column {column.Name} is text in {column.CharacterSet}", "Nothing to do where its bytes are what they say; text written under a wrong character set has to be mended first") { Column = column.Name };
        }
    }
}

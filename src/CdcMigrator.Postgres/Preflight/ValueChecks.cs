using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using Npgsql;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Values in the source that stop the connector, or that events carry wrongly without a trace. Types do not tell, so values are looked at, for a limited time.</summary>
internal static class ValueChecks
{
    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);

    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        NpgsqlDataSource source, MigrationDefinition definition, IReadOnlyDictionary<TableName, CatalogTable> tables, Func<ColumnType, Carriage> carriage, CancellationToken cancellationToken)
    {
        var wanted = definition.Tables.Where(mapping => tables.ContainsKey(mapping.Source))
            .Select(mapping => (tables[mapping.Source], tables[mapping.Source].Columns.Where(column => !column.Column.Generated && !mapping.Exclude.Contains(column.Column.Name))));
        var reselected = definition.Tables.SelectMany(mapping => mapping.Reselect.Select(column => (mapping.Source, column))).ToHashSet();
        var keyless = definition.Tables.Where(mapping => mapping.Keyless).Select(mapping => mapping.Source).ToHashSet();
        return
        [
            .. (await SourceValues.AskAsync(source, wanted, carriage, LongestLook, cancellationToken))
                .Select(answer => Find(answer, tables[answer.Table], reselected.Contains((answer.Table, answer.Column)), keyless.Contains(answer.Table), SideWords.Of(definition.Direction)))
                .OfType<Finding>(),
            .. definition.Log.Kind == LogKind.Kafka ? await MoneyStyle.CheckAsync(source, wanted, cancellationToken) : [],
        ];
    }

    /// <summary>What an answer means; null where it means nothing.</summary>
    public static Finding? Find(ValueAnswer answer, CatalogTable table, bool reselected, bool keyless, SideWords sides)
    {
        var where = $"Column {answer.Column} of {answer.Table}";
        var isKey = table.Keys is [{ IsPrimary: true } key, ..] && key.Columns.Any(column => table.Columns[column].Column.Name == answer.Column);
        var (severity, code, what, fix) = answer.Trait switch
        {
            // A stream sends every value, so that what the connector leaves out of its records does not help against these two (observed).
            ValueTrait.LongInterval => (Severity.Error, "interval-range", "intervals of more than 2,147,483,647 hours: the connector reads such a change again and again while its state says RUNNING",
                $"Correct them in the {sides.Read}, and keep them out: ALTER TABLE {table.Name.Sql} ADD CHECK (abs(extract(hour from {TableName.Quote(answer.Column)})) <= 2147483647)"),
            ValueTrait.OffsetWithSeconds => (Severity.Error, "timetz-offset", "times whose zone offset has seconds: the connector stops at a change of such a row",
                $"Correct them in the {sides.Read}, and keep them out: ALTER TABLE {table.Name.Sql} ADD CHECK (extract(timezone from {TableName.Quote(answer.Column)})::int % 60 = 0)"),
            ValueTrait.ArrayShape or ValueTrait.DateBeforeChrist when keyless => (Severity.Error, "keyless-column",
                $"values that events do not carry (dates BC, arrays of several dimensions or with a lower bound other than 1), and without a key it cannot be read from the {sides.Read}",
                "Exclude the column, or give the table a primary key"),
            ValueTrait.DateBeforeChrist when isKey => (Severity.Error, "key-date", "dates BC, which a snapshot reads as AD: rows get a wrong key", "Give the table another key on both sides"),
            ValueTrait.OutOfLine when !reselected => (Severity.Error, "toast-null",
                "values large enough to be stored out of line: an update that leaves such a value alone carries NULL for it, which stops the connector because the column is NOT NULL",
                $"ALTER TABLE {table.Name.Sql} REPLICA IDENTITY FULL, or add 'reselect: [{answer.Column}]' to the table in the migration file before 'cdcm connector register'"),
            ValueTrait.ArrayShape when !reselected => (Severity.Warning, "array-shape",
                $"arrays of several dimensions or with a lower bound other than 1, whose shape events do not carry: it is read from the {sides.Read} again for every change of a row",
                $"Add 'reselect: [{answer.Column}]' to the table in the migration file, so that this does not depend on what the column holds when 'cdcm run' starts"),
            ValueTrait.DateBeforeChrist when !reselected => (Severity.Info, "date-bc", $"dates BC, which a snapshot reads as AD or NULL: the column is read from the {sides.Read} again for each row of a snapshot", ""),
            _ => default,
        };
        if (code is null || answer.Found == false)
        {
            return null;
        }

        var finding = answer.Found == true
            ? new Finding(severity, code, $"{where} holds {what}", fix)
            : new Finding(Severity.Warning, code, $"Not decided in time: whether {char.ToLowerInvariant(where[0])}{where[1..]} holds {what}", fix);
        return finding with { Table = answer.Table.ToString(), Column = answer.Column };
    }
}

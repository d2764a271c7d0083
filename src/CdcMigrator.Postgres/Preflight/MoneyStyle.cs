using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using Npgsql;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>
/// Money reaches the connector as the server prints it for its session, by <c>lc_monetary</c>, and is read as one character before digits with commas between thousands:
/// <c>€ 1.234,56</c> becomes 1.23, and <c>1.234,56 €</c> stops the connector (observed).
/// </summary>
internal static class MoneyStyle
{
    private const string Sample = "1234.56";

    /// <summary>Names each column of money where the source's role has another style. A connector of another role is not looked at.</summary>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        NpgsqlDataSource source, IEnumerable<(CatalogTable Table, IEnumerable<CatalogColumn> Columns)> tables, CancellationToken cancellationToken)
    {
        var columns = tables.SelectMany(entry => entry.Columns.Where(column => column.Column.Type.Kind == ColumnKind.Money).Select(column => (entry.Table.Name, Column: column.Column.Name))).ToList();
        if (columns.Count == 0)
        {
            return [];
        }

        var (locale, printed, role) = await ReadAsync(source, cancellationToken);
        return IsReadAsMeant(printed) ? [] :
        [
            .. columns.Select(column => new Finding(Severity.Error, "money-locale",
                $"Column {column.Column} of {column.Name} holds money, which lc_monetary = '{locale}' prints as {printed}: the connector takes it for another amount, or stops at it",
                $"ALTER ROLE {TableName.Quote(role)} SET lc_monetary = 'C', for the connector's role, and restart the connector") { Table = column.Name.ToString(), Column = column.Column }),
        ];
    }

    /// <summary>
    /// Names each column of money where new sessions of both sides print an amount in different ways. The migration carries what is stored, and prints it alike on both; but applications read what the server
    /// prints, and a locale with other digits behind the point makes another amount of it.
    /// </summary>
    public static async Task<IReadOnlyList<Finding>> CompareAsync(
        NpgsqlDataSource source, NpgsqlDataSource target, IEnumerable<(CatalogTable Table, IEnumerable<CatalogColumn> Columns)> tables, CancellationToken cancellationToken)
    {
        var columns = tables.SelectMany(entry => entry.Columns.Where(column => column.Column.Type.Kind == ColumnKind.Money).Select(column => (entry.Table.Name, Column: column.Column.Name))).ToList();
        if (columns.Count == 0)
        {
            return [];
        }

        var (here, there) = (await ReadAsync(source, cancellationToken), await ReadAsync(target, cancellationToken));
        return here.Printed == there.Printed ? [] : [.. columns.Select(column => Differs(column.Name, column.Column, (here.Locale, here.Printed), (there.Locale, there.Printed)))];
    }

    /// <summary>The finding of one column.</summary>
    internal static Finding Differs(TableName table, string column, (string Locale, string Printed) source, (string Locale, string Printed) target) => new(
        Severity.Warning, "money-locale-differs",
        $"Column {column} of {table} holds money, of which the source (lc_monetary = '{source.Locale}') prints {source.Printed} where the target (lc_monetary = '{target.Locale}') prints {target.Printed}",
        $"ALTER DATABASE … SET lc_monetary = '{source.Locale}' in the target; or make the column numeric there")
    { Table = table.ToString(), Column = column };

    /// <summary>Whether the connector reads 1234.56 out of its printed form.</summary>
    internal static bool IsReadAsMeant(string printed) => printed.Length > 1 && printed[1..].Replace(",", "", StringComparison.Ordinal) == Sample;

    /// <summary>The style of a new session, whatever this one was set to.</summary>
    private static async Task<(string Locale, string Printed, string Role)> ReadAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var set = new NpgsqlCommand(
            "select pg_catalog.set_config('lc_monetary', reset_val, true) from pg_catalog.pg_settings where name = 'lc_monetary'", connection);
        var locale = (string)(await set.ExecuteScalarAsync(cancellationToken))!;
        await using var print = new NpgsqlCommand($"select {Sample}::pg_catalog.money::text, current_user::text", connection);
        await using var reader = await print.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (locale, reader.GetString(0), reader.GetString(1));
    }
}

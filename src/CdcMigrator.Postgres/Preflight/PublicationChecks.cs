using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Drift;
using Npgsql;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>Whether a publication has all that happens to tables: what it leaves out is in no log, and markers pass all the same.</summary>
public static class PublicationChecks
{
    /// <summary>Tables of which something is left out; empty where there is no such publication.</summary>
    /// <param name="database">The side that is read.</param>
    /// <param name="side">What it is called: <c>source</c> or <c>target</c>.</param>
    /// <param name="publication">Its name.</param>
    /// <param name="tables">Tables as they are called there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(NpgsqlDataSource database, string side, string publication, IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(tables);
        return
        [
            .. (await PublishedTables.ReadGapsAsync(database, publication, tables, cancellationToken)).OrderBy(gap => gap.Key).Select(gap => new Finding(
                Severity.Error, "not-published", $"Changes of {gap.Key} in the {side} may be in no log: {gap.Value}", $"ALTER PUBLICATION {TableName.Quote(publication)} in the {side}, then restart the connector")
            { Table = gap.Key.ToString() }),
        ];
    }
}

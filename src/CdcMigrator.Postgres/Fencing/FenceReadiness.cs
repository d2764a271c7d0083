using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// What would keep a side from being closed, or could write past its fence: asked before a cutover of the side that is left, and of the other one for the way back. Reads only, takes no lock, and may be
/// asked any time. Errors are refusals: with them the close would stall the applications or would not close everything.
/// </summary>
public static class FenceReadiness
{
    /// <summary>How long a transaction may hold what the fence waits for before it is in its way: attempts take half a second each, and go on for a while.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether a finding is of what happens to run at that moment, and may be gone the next.</summary>
    public static bool IsPassing(Finding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return finding.Code is "fence-long-transaction" or "fence-prepared-transaction" or "fence-wraparound-vacuum";
    }

    /// <summary>Everything found, errors first. The message names table, role, pid or transaction; the fix is SQL where SQL helps.</summary>
    /// <param name="database">The side, with the role that fences it.</param>
    /// <param name="side">What it is called in messages: <c>source</c> or <c>target</c>.</param>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="tables">Tables as they are called on this side.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<IReadOnlyList<Finding>> CheckAsync(
        NpgsqlDataSource database, string side, string migration, IReadOnlyList<TableName> tables, CancellationToken cancellationToken) =>
        CheckAsync(database, side, migration, tables, Patience, cancellationToken);

    /// <summary>The same with another patience.</summary>
    internal static async Task<IReadOnlyList<Finding>> CheckAsync(
        NpgsqlDataSource database, string side, string migration, IReadOnlyList<TableName> tables, TimeSpan patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var standby = new NpgsqlCommand("select pg_catalog.pg_is_in_recovery()", connection))
        {
            if (await standby.ExecuteScalarAsync(cancellationToken) is true)
            {
                return [new(Severity.Error, "fence-standby", $"The {side} is a standby: it cannot be fenced", "Connect to the primary")];
            }
        }

        var all = await FencedRelations.ReadAsync(connection, tables, cancellationToken);
        List<Finding> findings =
        [
            .. await FenceObstacles.FindAsync(connection, side, all, patience, cancellationToken),
            .. await FenceWriters.FindAsync(connection, side, tables, all, cancellationToken),
            .. await FenceShape.FindAsync(connection, side, migration, tables, all, cancellationToken),
        ];
        return [.. findings.OrderByDescending(finding => finding.Severity)];
    }
}

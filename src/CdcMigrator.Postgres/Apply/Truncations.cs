using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Truncated tables of a topic with several partitions. A TRUNCATE holds its table alone from before its own LSN until its commit, so a change of
/// the table precedes it exactly if its LSN is lower, in whichever lane, transaction or repeat it comes.
/// </summary>
internal sealed class Truncations
{
    private readonly Dictionary<TableName, ulong> lsns = [];

    /// <summary>LSN of the latest truncate applied to a table; 0 where there was none.</summary>
    public ulong Of(TableName table) => lsns.Count == 0 ? 0 : lsns.GetValueOrDefault(table);

    /// <summary>Notes a truncate that is committed.</summary>
    public void Set(TableName table, ulong lsn) => lsns[table] = lsn;

    /// <summary>Reads what is committed for a lane, once the lane's progress row is locked: who adds to it locks that row too.</summary>
    public static async Task<Truncations> ReadAsync(NpgsqlConnection connection, string migration, LaneId lane, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select source_table, lsn from cdc_migrator.truncation where migration = $1 and topic = $2", connection)
        {
            Parameters = { new NpgsqlParameter { Value = migration }, new NpgsqlParameter { Value = lane.Topic } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var truncations = new Truncations();
        while (await reader.ReadAsync(cancellationToken))
        {
            truncations.lsns[TableName.Parse(reader.GetString(0))] = (ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(1);
        }

        return truncations;
    }
}

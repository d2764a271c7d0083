using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Repair;

/// <summary>
/// Holds all lanes of a topic for the rest of a transaction. Every batch begins by moving its lane's progress row, so that each is either committed before and
/// seen from here on, or waits and then writes over what was written meanwhile. Which lane a key belongs to need not be known.
/// </summary>
internal static class HeldLanes
{
    /// <summary>Waits for the open transactions of the lanes; in the order of partitions, as everyone who takes several.</summary>
    /// <exception cref="FaultException">NotAllowed: applications write to this side, or a lane is frozen. Transient: a lane was never claimed, and could begin to write in between.</exception>
    public static async Task HoldAsync(NpgsqlConnection connection, string migration, string topic, CancellationToken cancellationToken)
    {
        // The side's row first, as an opening and a claim take it.
        await AppliedSide.RequireAsync(connection, migration, "a repair", cancellationToken);
        await using var command = new NpgsqlCommand(
            "select partition_count, frozen from cdc_migrator.progress where migration = $1 and topic = $2 order by partition for update", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = topic });
        var (held, wanted, frozen) = (0, 1, false);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            held++;
            wanted = Math.Max(wanted, reader.GetInt32(0));
            frozen |= reader.GetBoolean(1);
        }

        if (frozen)
        {
            throw new FaultException(FaultKind.NotAllowed, "lane-frozen", $"Lanes of {topic} are closed in this direction", "See 'cdcm status' for the migration's phase");
        }

        if (held < wanted)
        {
            throw new FaultException(FaultKind.Transient, "lanes-unclaimed", $"{wanted - held} of {wanted} partitions of {topic} have never been claimed, so that they could begin to write meanwhile",
                "Wait until 'cdcm status' shows all lanes, then repair again");
        }
    }
}

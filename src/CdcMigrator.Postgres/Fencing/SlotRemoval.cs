using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Takes away what a reader of the log has left in a database: a slot that nobody reads keeps its WAL for ever.</summary>
public static class SlotRemoval
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Drops slot and publication of one name, once the slot's reader has gone. May be repeated.</summary>
    /// <param name="database">The side that was read.</param>
    /// <param name="slot">Name of slot and publication.</param>
    /// <param name="patience">How long the slot's reader may take to go.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">NotAllowed <c>slot-in-use</c>: it is still being read. Unreachable; Configuration: the role may not.</exception>
    public static async Task DropAsync(NpgsqlDataSource database, string slot, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(time);
        var began = time.GetTimestamp();
        try
        {
            while (!await TryDropAsync(database, slot, cancellationToken))
            {
                if (time.GetElapsedTime(began) > patience)
                {
                    throw new FaultException(
                        FaultKind.NotAllowed, "slot-in-use", $"Replication slot {slot} is still being read after {patience.TotalSeconds:0} s", "Stop what reads it: its connector, or another process of the migration; then repeat the command");
                }

                await Task.Delay(Pause, time, cancellationToken);
            }

            await using var command = database.CreateCommand($"drop publication if exists {TableName.Quote(slot)}");
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private static async Task<bool> TryDropAsync(NpgsqlDataSource database, string slot, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = database.CreateCommand("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = slot });
            await command.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.ObjectInUse or PostgresErrorCodes.UndefinedObject)
        {
            // Undefined: another process was faster, which the next look tells.
            return false;
        }
    }
}

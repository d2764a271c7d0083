using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>A guarded move of a lane's progress: the first statement of every transaction that applies changes (invariant A1).</summary>
/// <param name="Migration">Migration's name.</param>
/// <param name="Lane">Lane to move.</param>
/// <param name="Epoch">Epoch that must still hold.</param>
/// <param name="From">Offset it must stand at.</param>
/// <param name="To">Offset it moves to.</param>
/// <param name="Position">Highest position applied after it.</param>
internal sealed record ProgressMove(string Migration, LaneId Lane, long Epoch, long From, long To, SourcePosition Position)
{
    /// <summary>Fails the transaction with our own SQLSTATE where the lane is no longer ours.</summary>
    public NpgsqlBatchCommand Command()
    {
        var command = new NpgsqlBatchCommand("select cdc_migrator.advance($1, $2, $3, $4, $5, $6, $7, $8, $9)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Migration });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Lane.Topic });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Lane.Partition });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Epoch });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = From });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = To });
        command.Parameters.Add(new NpgsqlParameter<NpgsqlLogSequenceNumber> { TypedValue = new(Position.CommitLsn), NpgsqlDbType = NpgsqlDbType.PgLsn });
        command.Parameters.Add(new NpgsqlParameter<NpgsqlLogSequenceNumber> { TypedValue = new(Position.Lsn), NpgsqlDbType = NpgsqlDbType.PgLsn });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Position.TransactionId });
        return command;
    }
}

using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>
/// Which records of a session are put aside (invariant A9): one that can never be applied, where the migration says so, and whatever the policy
/// every later one of a row that has a dead letter. A record whose row cannot be told is never put aside, for later changes of its row
/// would pass: the lane halts. Costs nothing while no row of the lane is parked.
/// </summary>
/// <param name="decoder">Tells a record's row.</param>
/// <param name="writer">Knows the rows parked before this claim.</param>
/// <param name="policy">What becomes of a record that can never be applied.</param>
/// <param name="condemned">What the target refused a record for again, when it stood alone; that record is parked.</param>
internal sealed class Parking(IRecordDecoder decoder, ILaneWriter writer, PoisonPolicy policy, Fault? condemned)
{
    private readonly HashSet<ChangeKey> keys = [.. writer.ParkedKeys];
    private readonly SourcePosition highest = writer.HighestPosition;

    /// <summary>Whether the record must be looked at before it is decoded.</summary>
    public bool Concerns(LogRecord record) => keys.Count > 0 || condemned?.Offset == record.Offset;

    /// <summary>Parks a record that must not be applied. Null: it may be; else what became of it, or the schema its key needs.</summary>
    /// <exception cref="FaultException">Poison: its row cannot be told, or it truncates a table with parked rows.</exception>
    public DecodeResult? Take(LogRecord record, ChangeBatch batch)
    {
        var fault = condemned?.Offset == record.Offset ? condemned : null;
        var reading = decoder.ReadKey(record);
        if (reading.SchemaId != 0)
        {
            return new DecodeResult(DecodeKind.NeedsSchema, SchemaId: reading.SchemaId);
        }

        // The first transaction behind a connector's start may seem older than it is; of the change itself the LSN is always true, and behind a truncate that was applied stands nothing of its table with a lower one.
        if (reading.Truncated is { } table && !(reading.Position.IsReplayOf(highest) && reading.Position.Lsn <= highest.Lsn) && keys.Any(key => key.Table == table))
        {
            throw new FaultException(ParkedRecord.TruncatedBehind(record.Lane, record.Offset) with { Table = table });
        }

        return reading.Key is { } key && (fault is not null || keys.Contains(key)) ? Park(record, batch, key, fault, reading) : null;
    }

    /// <summary>Parks a record that decoding refused. Null: it must halt the lane.</summary>
    public DecodeResult? TakeRefused(LogRecord record, ChangeBatch batch, Fault fault)
    {
        if (policy != PoisonPolicy.DeadLetter || !ParkedRecord.MayPark(fault))
        {
            return null;
        }

        try
        {
            var reading = decoder.ReadKey(record);
            return reading.SchemaId != 0 ? new DecodeResult(DecodeKind.NeedsSchema, SchemaId: reading.SchemaId)
                : reading.Key is { } key ? Park(record, batch, key, fault, reading)
                : null;
        }
        catch (FaultException)
        {
            // Its row cannot be told: the first fault says why the record is refused.
            return null;
        }
    }

    private DecodeResult Park(LogRecord record, ChangeBatch batch, ChangeKey key, Fault? fault, KeyReading reading)
    {
        // A row with a dead letter has its cause already: this one only waits.
        var waits = !keys.Add(key);
        batch.Park(new ParkedRecord(
            record,
            key,
            waits || fault is null ? ParkedRecord.Behind : fault.Code,
            waits || fault is null ? "An earlier change of the row is a dead letter" : fault.Message,
            reading.Position)
        { Run = reading.Run });
        return new DecodeResult(DecodeKind.Parked);
    }
}

using CdcMigrator.Domain.Log;
using CdcMigrator.Reconciliation.Reading;

namespace CdcMigrator.Service.Verifying;

/// <summary>Reads records for the reconciler, with the schemas they are written in. Not thread-safe: one a follower.</summary>
/// <param name="records">Tells which row a record is of.</param>
/// <param name="schemas">Loads schemas of Avro records; null without a registry.</param>
internal sealed class LogReading(RecordReader records, ISchemaLoader? schemas)
{
    /// <summary>Reads one record, on the follower's own thread: nothing behind it may be told before it.</summary>
    /// <exception cref="Domain.Faults.FaultException">The registry does not answer: the record is to be shown again.</exception>
    public RecordReading Read(LogRecord record, CancellationToken cancellationToken)
    {
        var reading = records.Read(record);
        while (reading.Kind == RecordKind.NeedsSchema)
        {
            if (schemas is null)
            {
                return new RecordReading(RecordKind.Unreadable, Doubt: "an Avro record, and no schema registry is named");
            }

            schemas.LoadAsync(reading.SchemaId, cancellationToken).GetAwaiter().GetResult();
            reading = records.Read(record);
        }

        return reading;
    }
}

using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Domain.Log;

/// <summary>Bytes and headers to changes. Pure: no I/O, same result for the same record and routes. Not thread-safe: one a lane.</summary>
public interface IRecordDecoder
{
    /// <summary>
    /// Decodes one record and adds at most one change to the batch. Does not call <see cref="ChangeBatch.TakeIn"/>: the caller does,
    /// once the record is done with.
    /// </summary>
    /// <exception cref="Faults.FaultException">Poison: the record cannot be decoded, or names a column the target lacks. The batch is as before.</exception>
    DecodeResult Decode(LogRecord record, ChangeBatch batch);

    /// <summary>
    /// Reads which row a record is about, though its values may not be readable: where the value tells nothing, the topic names the table.
    /// </summary>
    /// <exception cref="Faults.FaultException">Poison: the record is a row change, or may be one, and its key cannot be read.</exception>
    KeyReading ReadKey(LogRecord record);
}

using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>What Debezium says of a record in its headers.</summary>
internal static class RecordHeaders
{
    /// <summary>Only that the headers are there matters: the keys themselves are in the records of the two halves.</summary>
    public static KeyChangeHalf KeyChangeOf(LogRecord record, ChangeOperation operation)
    {
        // By index: an enumerator of the interface would be allocated for every record.
        for (var i = 0; i < record.Headers.Count; i++)
        {
            switch (record.Headers[i].Key)
            {
                case "__debezium.newkey" when operation == ChangeOperation.Delete:
                    return KeyChangeHalf.OldKey;
                case "__debezium.oldkey" when operation == ChangeOperation.Insert:
                    return KeyChangeHalf.NewKey;
            }
        }

        return KeyChangeHalf.None;
    }
}

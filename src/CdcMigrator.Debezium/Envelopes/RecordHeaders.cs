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

    /// <summary>A number for the task's life that sent a record; its bytes differ at each start.</summary>
    public static ulong RunOf(LogRecord record)
    {
        for (var i = 0; i < record.Headers.Count; i++)
        {
            if (record.Headers[i] is { Key: "__debezium.context.runId", Value: { Length: > 0 } id })
            {
                return id.Aggregate(14695981039346656037UL, static (hash, part) => unchecked((hash ^ part) * 1099511628211UL)) | 1;
            }
        }

        return 0;
    }
}

using CdcMigrator.Domain.Log;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>Numbers for the lives of a connector's task, by the id that Debezium (3.2 and newer) makes at each start, its own retries included, and puts into a header of every record. Not thread-safe.</summary>
internal sealed class ConnectorRuns
{
    private byte[] last = [];
    private ulong number;

    /// <summary>The number of the life that sent a record; 0 where it does not say.</summary>
    public ulong Of(LogRecord record)
    {
        // By index: an enumerator of the interface would be allocated for every record.
        for (var i = 0; i < record.Headers.Count; i++)
        {
            if (record.Headers[i] is { Key: "__debezium.context.runId", Value: { Length: > 0 } id })
            {
                return id.AsSpan().SequenceEqual(last) ? number : Take(id);
            }
        }

        return 0;
    }

    private ulong Take(byte[] id)
    {
        number = 14695981039346656037UL;
        foreach (var part in id)
        {
            number = unchecked((number ^ part) * 1099511628211UL);
        }

        last = id;
        return number |= 1;
    }
}

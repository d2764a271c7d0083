using CdcMigrator.Domain.Log;
using Confluent.Kafka;

namespace CdcMigrator.Streaming.Consuming;

/// <summary>Client records to ours. Arrays are handed over, not copied.</summary>
internal static class Records
{
    public static LogRecord Read(LaneId lane, ConsumeResult<byte[]?, byte[]?> result) => new()
    {
        Lane = lane,
        Offset = result.Offset.Value,
        TimestampMs = result.Message.Timestamp.Type == TimestampType.NotAvailable ? 0 : result.Message.Timestamp.UnixTimestampMs,
        Key = result.Message.Key,
        Value = result.Message.Value,
        Headers = ReadHeaders(result.Message.Headers),
    };

    private static LogHeader[] ReadHeaders(Headers? headers)
    {
        if (headers is null || headers.Count == 0)
        {
            return [];
        }

        var read = new LogHeader[headers.Count];
        for (var i = 0; i < read.Length; i++)
        {
            read[i] = new LogHeader(headers[i].Key, headers[i].GetValueBytes());
        }

        return read;
    }
}

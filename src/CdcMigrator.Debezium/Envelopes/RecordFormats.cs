using CdcMigrator.Debezium.Json;
using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>Tells the serialisation of a key or value from its bytes.</summary>
internal sealed class RecordFormats(DebeziumSettings settings, SchemaStore? schemas, ValueWriter writer)
{
    private readonly JsonFormat json = new(settings, writer);

    /// <summary>The column being read, for messages.</summary>
    public string? Column => json.Column;

    /// <summary>The format of these bytes; null when their schema must be loaded first.</summary>
    public IRecordFormat? Of(byte[]? bytes, out int missingSchema)
    {
        missingSchema = 0;
        _ = schemas;
        return bytes is null ? null : json;
    }

    /// <summary>Time of a heartbeat; 0 where it does not say.</summary>
    public long HeartbeatTimestamp(byte[] value, Envelope envelope)
    {
        if (value is not [(byte)'{', ..])
        {
            return 0;
        }

        envelope.Clear();
        json.ReadEnvelope(value, envelope);
        return envelope.TimestampMs;
    }
}

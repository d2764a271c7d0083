using CdcMigrator.Debezium.Avro;
using CdcMigrator.Debezium.Json;
using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>Tells the serialisation of a key or value from its bytes.</summary>
internal sealed class RecordFormats(DebeziumSettings settings, SchemaStore? schemas, ValueWriter writer)
{
    private readonly JsonFormat json = new(settings, writer);
    private readonly AvroFormat? avro = schemas is null ? null : new AvroFormat(settings, schemas, writer);

    /// <summary>The column being read, for messages.</summary>
    public string? Column => json.Column ?? avro?.Column;

    /// <summary>Forgets the former record.</summary>
    public void Clear()
    {
        json.Column = null;
        if (avro is not null)
        {
            avro.Column = null;
        }
    }

    /// <summary>The format of these bytes; null when their schema must be loaded first, or there are none.</summary>
    public IRecordFormat? Of(byte[]? bytes, out int missingSchema)
    {
        missingSchema = 0;
        if (bytes is null)
        {
            return null;
        }

        // No JSON begins with a zero byte.
        if (bytes.Length < AvroFormat.Head || bytes[0] != 0)
        {
            return json;
        }

        if (avro is null)
        {
            throw new FormatException("it is Avro, but the migration file names no schema registry (log.schemaRegistry)");
        }

        missingSchema = AvroFormat.IdOf(bytes);
        return schemas!.TryGet(missingSchema) ? avro : null;
    }

    /// <summary>A key as JSON-like text for messages; null without one.</summary>
    public string? KeyText(byte[]? key)
    {
        const int Most = 200;
        if (key is null)
        {
            return null;
        }

        string text;
        try
        {
            text = Of(key, out _)?.KeyText(key) ?? Convert.ToHexStringLower(key);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The key may be what cannot be decoded; the message shows its bytes then.
            text = Convert.ToHexStringLower(key);
        }

        return text.Length <= Most ? text : $"{text.AsSpan(0, Most)}…";
    }

    /// <summary>Time of a heartbeat; 0 where it does not say.</summary>
    public long HeartbeatTimestamp(byte[] value, Envelope envelope)
    {
        if (Of(value, out _) is not { } format)
        {
            return 0;
        }

        envelope.Clear();
        format.ReadEnvelope(value, envelope);
        return envelope.TimestampMs;
    }
}

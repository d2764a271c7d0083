using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Embedded.Publishing;

/// <summary>
/// Writes keys and values in Debezium's schemaless JSON. Every column value is a string with PostgreSQL's text form, or null; a
/// value the source left out (unchanged TOAST) is an empty array. Not thread-safe.
/// </summary>
internal sealed class RecordWriter : IDisposable
{
    /// <summary>Escapes no more than JSON demands, so that most values are copied.</summary>
    public static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    private const string Version = "embedded";

    private readonly string prefix;
    private readonly string database;
    private readonly TimeProvider time;
    private readonly Utf8JsonWriter json;
    private ArrayBufferWriter<byte> buffer = new(16 * 1024);

    /// <summary>Makes a writer for one source.</summary>
    public RecordWriter(string prefix, string database, TimeProvider time)
    {
        this.prefix = prefix;
        this.database = database;
        this.time = time;
        json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Encoder, SkipValidation = true });
    }

    /// <summary>The record key: an object of the key columns. Null for a keyless table.</summary>
    public byte[]? Key(RowShape shape, byte[] row, ReadOnlySpan<Cell> cells)
    {
        if (shape.Key.Length == 0)
        {
            return null;
        }

        Begin();
        json.WriteStartObject();
        foreach (var ordinal in shape.Key)
        {
            json.WritePropertyName(shape.Names[ordinal]);
            WriteCell(shape, ordinal, row, cells[ordinal]);
        }

        json.WriteEndObject();
        return End();
    }

    /// <summary>The envelope. An empty span is a null image.</summary>
    public byte[] Value(RowShape shape, byte operation, byte[] row, ReadOnlySpan<Cell> before, ReadOnlySpan<Cell> after, ChangeOrigin origin)
    {
        Begin();
        json.WriteStartObject();
        WriteImage("before"u8, shape, row, before);
        WriteImage("after"u8, shape, row, after);
        WriteSource(shape, origin);
        json.WriteString("op"u8, [operation]);
        json.WriteNumber("ts_ms"u8, time.GetUtcNow().ToUnixTimeMilliseconds());
        json.WriteEndObject();
        return End();
    }

    /// <inheritdoc />
    public void Dispose() => json.Dispose();

    private void Begin()
    {
        // A rare giant row must not hold its memory for good.
        if (buffer.Capacity > 8 * 1024 * 1024)
        {
            buffer = new ArrayBufferWriter<byte>(16 * 1024);
        }

        buffer.ResetWrittenCount();
        json.Reset(buffer);
    }

    private byte[] End()
    {
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private void WriteImage(ReadOnlySpan<byte> name, RowShape shape, byte[] row, ReadOnlySpan<Cell> cells)
    {
        json.WritePropertyName(name);
        if (cells.IsEmpty)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        for (var i = 0; i < cells.Length; i++)
        {
            json.WritePropertyName(shape.Names[i]);
            WriteCell(shape, i, row, cells[i]);
        }

        json.WriteEndObject();
    }

    private void WriteCell(RowShape shape, int ordinal, byte[] row, Cell cell)
    {
        switch (cell.Kind)
        {
            case CellKind.Null:
                json.WriteNullValue();
                break;
            case CellKind.Unchanged:
                json.WriteStartArray();
                json.WriteEndArray();
                break;
            default:
                // The writer would put replacement characters in its place, silently.
                var text = cell.Of(row);
                if (!Utf8.IsValid(text))
                {
                    throw new FaultException(new Fault(FaultKind.Poison, "invalid-utf8",
                        $"Column {shape.Names[ordinal]} of {shape.Table.Name} holds text that is not UTF-8: the source database's encoding does not say what it means",
                        "Mend the value in the source")
                    { Table = shape.Table.Name.ToString() });
                }

                json.WriteStringValue(text);
                break;
        }
    }

    private void WriteSource(RowShape shape, ChangeOrigin origin)
    {
        json.WriteStartObject("source"u8);
        json.WriteString("version"u8, Version);
        json.WriteString("connector"u8, "postgresql"u8);
        json.WriteString("name"u8, prefix);
        json.WriteNumber("ts_ms"u8, origin.TimestampMs);
        json.WriteString("snapshot"u8, origin.IsSnapshot ? "true"u8 : "false"u8);
        json.WriteString("db"u8, database);
        json.WriteString("sequence"u8, origin.IsSnapshot
            ? string.Create(CultureInfo.InvariantCulture, $"[null,\"{origin.Lsn}\"]")
            : string.Create(CultureInfo.InvariantCulture, $"[\"{origin.CommitLsn}\",\"{origin.Lsn}\"]"));
        json.WriteString("schema"u8, shape.Table.Name.Schema);
        json.WriteString("table"u8, shape.Table.Name.Name);
        if (origin.TransactionId == 0)
        {
            json.WriteNull("txId"u8);
        }
        else
        {
            json.WriteNumber("txId"u8, origin.TransactionId);
        }

        json.WriteNumber("lsn"u8, origin.Lsn);
        json.WriteEndObject();
    }
}

using System.Buffers.Binary;
using System.Text.Json;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Reading.Avro;
using CdcMigrator.Reconciliation.Reading.Json;
using CdcMigrator.Reconciliation.Reading.Keys;

namespace CdcMigrator.Reconciliation.Reading;

/// <summary>
/// The reconciler's own reading of the log: which row a record is of, and where it stands. It shares no code with the decoders of the applier, so that a
/// mistake of theirs cannot hide in here; rows are passed over unread. JSON with and without schema and Avro are told apart a record at a time. Pure; not
/// thread-safe: one a follower.
/// </summary>
public sealed class RecordReader
{
    private readonly ReadingSettings settings;
    private readonly WriterSchemas schemas;
    private readonly KeyReader keys;
    private readonly KeyTable[] tables;
    private readonly Dictionary<string, KeyTable?> byTopic = new(StringComparer.Ordinal);
    private readonly KeyTable fence;
    private KeyTable last;

    /// <summary>Makes a reader.</summary>
    /// <param name="settings">What the connector's records mean.</param>
    /// <param name="tables">Tables whose changes are of interest.</param>
    /// <param name="schemas">Schemas of Avro records; an empty store where there are none.</param>
    public RecordReader(ReadingSettings settings, IEnumerable<ComparedTable> tables, WriterSchemas schemas)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(schemas);
        this.settings = settings;
        this.schemas = schemas;
        keys = new KeyReader(settings);
        fence = new KeyTable(FenceTable(settings.Fence, settings.IsMySqlFamily), settings);
        this.tables = [fence, .. tables.Where(table => table.Source != settings.Fence).Select(table => new KeyTable(table, settings))];
        foreach (var table in this.tables)
        {
            // Where names meet in one topic it tells nothing.
            byTopic[table.Topic] = byTopic.ContainsKey(table.Topic) ? null : table;
        }

        last = fence;
    }

    /// <summary>Reads one record. The same record and schemas give the same reading.</summary>
    public RecordReading Read(LogRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Value is not { } value)
        {
            return default;
        }

        KeyTable? table;
        ChangeMark mark;
        string? doubt;
        byte operation;
        bool? isRead;
        try
        {
            if (!TryHead(value, out var head, out var missing))
            {
                return new RecordReading(RecordKind.NeedsSchema, SchemaId: missing);
            }

            if (head.IsNull || (!head.IsChange && (head.Operation == 'm' || byTopic.GetValueOrDefault(record.Lane.Topic) is null)))
            {
                return default;
            }

            if (!head.IsChange)
            {
                throw new FormatException("it has no op or no source: it is no event of Debezium");
            }

            table = TableOf(head);
            if (table is null)
            {
                return default;
            }

            operation = head.Operation;
            isRead = head.IsRead;
            var known = head.TryTransaction(settings.IsMySqlFamily, out var transaction);
            mark = new ChangeMark(record.Lane.Partition, record.Offset, transaction, head.IsRead || !known);
            doubt = known || head.IsRead ? null : $"an event of {table.Name} does not say its transaction";
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            table = byTopic.GetValueOrDefault(record.Lane.Topic);
            operation = 0;
            isRead = null;
            mark = new ChangeMark(record.Lane.Partition, record.Offset, 0, IsRead: true);
            doubt = $"the record at {record.Lane} offset {record.Offset} cannot be read: {Cause(e)}";
            if (table is null)
            {
                return new RecordReading(RecordKind.Unreadable, Doubt: doubt);
            }
        }

        return WithKey(record, table, mark, operation, isRead, doubt);
    }

    /// <param name="record">The record.</param>
    /// <param name="table">Its table.</param>
    /// <param name="mark">Where it stands.</param>
    /// <param name="operation">Debezium's <c>op</c>; 0 where the value cannot be read.</param>
    /// <param name="isRead">A snapshot read the row; null where the value does not tell.</param>
    /// <param name="doubt">What is in doubt already.</param>
    private RecordReading WithKey(LogRecord record, KeyTable table, ChangeMark mark, byte operation, bool? isRead, string? doubt)
    {
        RowKey? key = null;
        if (operation != 't' && table.Columns.Length > 0)
        {
            string? keyDoubt;
            try
            {
                key = KeyOf(record.Key, table, isRead ?? true, out keyDoubt, out var missing);
                if (missing != 0)
                {
                    return new RecordReading(RecordKind.NeedsSchema, SchemaId: missing);
                }

                // What a value stands for may depend on who wrote it.
                if (isRead is null && key is not null && !key.Equals(KeyOf(record.Key, table, isRead: false, out keyDoubt, out _)))
                {
                    key = null;
                }
            }
            catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or OverflowException)
            {
                keyDoubt = $"the key at {record.Lane} offset {record.Offset} cannot be read: {Cause(e)}";
            }

            doubt ??= keyDoubt;
        }

        var change = new ObservedChange(table.Name, key, mark);
        if (!ReferenceEquals(table, fence))
        {
            return new RecordReading(RecordKind.Change, change, Doubt: doubt);
        }

        // What is deleted there was a marker once.
        return key is null || operation is (byte)'d' or 0 ? new RecordReading(RecordKind.Nothing, Doubt: doubt) : new RecordReading(RecordKind.Marker, change, key.Values[0], Doubt: doubt);
    }

    private RowKey? KeyOf(byte[]? key, KeyTable table, bool isRead, out string? doubt, out int missing)
    {
        missing = 0;
        doubt = table.DoubtOfAll;
        if (key is null)
        {
            return null;
        }

        if (!IsAvro(key))
        {
            return keys.OfJson(key, table, isRead, out doubt);
        }

        var id = SchemaOf(key);
        if (schemas.Find(id) is { } type)
        {
            return keys.OfAvro(key.AsSpan(AvroEvents.Prefix), type, table, isRead, out doubt);
        }

        missing = id;
        return null;
    }

    private bool TryHead(byte[] value, out EnvelopeHead head, out int missing)
    {
        missing = 0;
        if (!IsAvro(value))
        {
            head = JsonEvents.Read(value);
            return true;
        }

        missing = SchemaOf(value);
        if (schemas.Find(missing) is { } type)
        {
            head = AvroEvents.Read(value.AsSpan(AvroEvents.Prefix), type);
            return true;
        }

        head = EnvelopeHead.Empty;
        return false;
    }

    /// <summary>The table an event is of; null for one that is of no interest. Events of one table mostly follow each other.</summary>
    private KeyTable? TableOf(in EnvelopeHead head)
    {
        if (last.IsOf(head))
        {
            return last;
        }

        foreach (var table in tables)
        {
            if (table.IsOf(head))
            {
                return last = table;
            }
        }

        return null;
    }

    /// <summary>No JSON begins with a zero byte.</summary>
    private static bool IsAvro(byte[] bytes) => bytes.Length >= AvroEvents.Prefix && bytes[0] == 0;

    private static int SchemaOf(byte[] bytes) => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(1));

    /// <summary>A parser's own message would hold part of the row.</summary>
    private static string Cause(Exception e) => e is FormatException ? e.Message : "it is neither JSON nor Avro of a known schema";

    private static ComparedTable FenceTable(TableName name, bool mySql) => new()
    {
        Source = name,
        Target = name,
        Columns = [new ComparedColumn("id", "id", CanonicalForm.Text) { SourceType = mySql ? "varchar" : "text" }],
        Key = [0],
    };
}

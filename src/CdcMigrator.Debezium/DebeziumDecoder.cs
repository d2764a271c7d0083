using CdcMigrator.Debezium.Envelopes;
using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium;

/// <summary>
/// Debezium's events to changes: JSON with or without Connect's schema wrapper, recognised a record at a time, and Avro in Confluent's
/// wire format. Pure; not thread-safe: one a lane.
/// </summary>
public sealed class DebeziumDecoder : IRecordDecoder
{
    private readonly ConnectorRuns runs = new();
    private readonly DebeziumSettings settings;
    private readonly Envelope envelope = new();
    private readonly TablePlans tables;
    private readonly RecordFormats formats;
    private readonly ValueWriter writer;
    private readonly ChangeBatch keyBatch = new();

    /// <summary>Makes a decoder.</summary>
    /// <param name="settings">What the connector's values mean.</param>
    /// <param name="routes">The routes as they are now; asked for each record, so that a schema change takes effect.</param>
    /// <param name="schemas">Schemas of Avro records; null where there are none.</param>
    public DebeziumDecoder(DebeziumSettings settings, Func<RouteTable> routes, SchemaStore? schemas)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(routes);
        this.settings = settings;
        tables = new TablePlans(settings, routes);
        writer = new ValueWriter(new Placeholder(settings.UnavailablePlaceholder)) { Output = new ChangeBatch() };
        formats = new RecordFormats(settings, schemas, writer);
    }

    /// <inheritdoc />
    public DecodeResult Decode(LogRecord record, ChangeBatch batch)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(batch);
        TablePlan? table = null;
        try
        {
            return Decode(record, batch, ref table);
        }
        catch (FaultException e)
        {
            batch.DiscardRow();
            throw new FaultException(Place(e.Fault, record, table), e.InnerException);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            batch.DiscardRow();
            throw new FaultException(Place(Undecodable.Of(e, table, formats.Column, settings), record, table), e);
        }
    }

    /// <inheritdoc />
    public KeyReading ReadKey(LogRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        TablePlan? table = null;
        try
        {
            return ReadKey(record, ref table);
        }
        catch (FaultException e)
        {
            keyBatch.DiscardRow();
            throw new FaultException(Place(e.Fault, record, table), e.InnerException);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            keyBatch.DiscardRow();
            throw new FaultException(Place(Undecodable.Of(e, table, formats.Column, settings), record, table), e);
        }
    }

    private KeyReading ReadKey(LogRecord record, ref TablePlan? table)
    {
        formats.Clear();
        if (record.Value is null || ByTopic(record.Lane.Topic) is not null)
        {
            return default;
        }

        if (!TryReadEnvelope(record.Value, out var missing))
        {
            envelope.Clear();
            table = tables.FindByTopic(record.Lane.Topic)
                ?? throw new FormatException($"the value is no Debezium envelope, and topic {record.Lane.Topic} is not that of a single table");
        }
        else if (missing != 0)
        {
            return new KeyReading(null, SchemaId: missing);
        }
        else if (envelope.IsNull || !envelope.HasSource || envelope.Operation is 0 or (byte)'m')
        {
            return default;
        }

        table ??= tables.Find(envelope.Source);
        if (table.Role != TableRole.Routed || envelope.Operation == 't')
        {
            return new KeyReading(null, envelope.Source.Position, Truncated: table.Role == TableRole.Routed ? table.Name : null);
        }

        if (record.Key is null)
        {
            throw Keyless(table.Name);
        }

        return formats.Of(record.Key, out missing) is { } format
            ? new KeyReading(new ChangeKey(table.Name, KeyOf(record, table, format)), envelope.Operation == 'r' ? SourcePosition.None : envelope.Source.Position, Run: runs.Of(record))
            : new KeyReading(null, SchemaId: missing);
    }

    private string KeyOf(LogRecord record, TablePlan table, IRecordFormat format)
    {
        keyBatch.Reset(record.Lane, record.Offset);
        writer.Output = keyBatch;
        writer.Array.Reset();
        writer.InArray = false;
        writer.SnapshotRow = false;
        keyBatch.BeginRow(table.Route!);
        format.ReadKey(record.Key!, table, keyBatch);
        CheckKeyValues(table, keyBatch);
        keyBatch.CommitRow(table.Route!, ChangeOperation.Delete, record.Offset, SourcePosition.None, KeyChangeHalf.None, 0);
        return KeyText.Of(keyBatch, keyBatch.Changes[0]);
    }

    /// <summary>False where the value cannot be read, or is no envelope. True also where its schema must be loaded first.</summary>
    private bool TryReadEnvelope(byte[] value, out int missing)
    {
        missing = 0;
        try
        {
            envelope.Clear();
            if (formats.Of(value, out var schema) is not { } format)
            {
                missing = schema;
                return true;
            }

            format.ReadEnvelope(value, envelope);
            return envelope.IsNull || (envelope.HasSource && envelope.Operation != 0) || envelope.HasDdl || envelope.HasStatus;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return false;
        }
    }

    private DecodeResult Decode(LogRecord record, ChangeBatch batch, ref TablePlan? table)
    {
        formats.Clear();
        if (record.Value is null)
        {
            return new DecodeResult(DecodeKind.Tombstone);
        }

        if (ByTopic(record.Lane.Topic) is { } kind)
        {
            return new DecodeResult(kind, kind == DecodeKind.Heartbeat ? formats.HeartbeatTimestamp(record.Value, envelope) : 0);
        }

        var format = formats.Of(record.Value, out var missing);
        if (format is null)
        {
            return new DecodeResult(DecodeKind.NeedsSchema, SchemaId: missing);
        }

        envelope.Clear();
        format.ReadEnvelope(record.Value, envelope);
        if (envelope.IsNull)
        {
            return new DecodeResult(DecodeKind.Tombstone);
        }

        if (!envelope.HasSource || envelope.Operation == 0)
        {
            return new DecodeResult(WithoutOperation());
        }

        if (envelope.Operation == 'm')
        {
            return new DecodeResult(DecodeKind.Message, envelope.Source.TimestampMs);
        }

        table = tables.Find(envelope.Source);
        return table.Role switch
        {
            TableRole.Signal => new DecodeResult(DecodeKind.Signal, envelope.Source.TimestampMs),
            TableRole.Fence => Fence(record, format),
            TableRole.Ignored => new DecodeResult(DecodeKind.Ignored, envelope.Source.TimestampMs),
            _ => Change(record, batch, table, format),
        };
    }

    private DecodeKind? ByTopic(string topic) =>
        topic == settings.HeartbeatTopic ? DecodeKind.Heartbeat
        : topic == settings.TransactionTopic ? DecodeKind.Transaction
        : topic == settings.TopicPrefix ? DecodeKind.SchemaChange
        : null;

    private DecodeKind WithoutOperation() =>
        envelope.HasDdl ? DecodeKind.SchemaChange
        : envelope.HasStatus && !envelope.HasSource ? DecodeKind.Transaction
        : throw new FormatException("the value is no Debezium envelope: it has no op or no source; transforms that flatten events must be removed from the connector");

    private DecodeResult Fence(LogRecord record, IRecordFormat format)
    {
        if (envelope.Operation == 't')
        {
            return new DecodeResult(DecodeKind.Ignored, envelope.Source.TimestampMs);
        }

        string? id;
        string? value = null;
        if (envelope.Operation == 'd')
        {
            if (formats.Of(record.Key, out var missing) is not { } keyFormat)
            {
                return record.Key is null ? throw Keyless(settings.FenceTable.ToString()) : new DecodeResult(DecodeKind.NeedsSchema, SchemaId: missing);
            }

            keyFormat.ReadKeyTexts(record.Key!, "id"u8, out id);
        }
        else
        {
            format.ReadRowTexts(record.Value!, envelope, "id"u8, "v"u8, out id, out value);
        }

        return id is null
            ? throw new FormatException("a row of the fence table has no id")
            : new DecodeResult(DecodeKind.Fence, envelope.Source.TimestampMs, Fence: new FenceRow(id, value, envelope.Source.Position));
    }

    private DecodeResult Change(LogRecord record, ChangeBatch batch, TablePlan table, IRecordFormat format)
    {
        var route = table.Route!;
        if (route.Halted is { } halted)
        {
            throw new FaultException(halted);
        }

        var operation = Operation();
        if (operation == ChangeOperation.Truncate)
        {
            batch.BeginRow(route);
            return Commit(record, batch, route, operation, KeyChangeHalf.None);
        }

        if (route.IsKeyless)
        {
            return KeylessChange(record, batch, table, format, operation);
        }

        if (record.Key is null)
        {
            throw Keyless(table.Name);
        }

        var keyFormat = formats.Of(record.Key, out var missing);
        if (keyFormat is null)
        {
            return new DecodeResult(DecodeKind.NeedsSchema, SchemaId: missing);
        }

        BeginValues(batch, operation);
        if (operation == ChangeOperation.Delete)
        {
            batch.BeginRow(route);
            keyFormat.ReadKey(record.Key, table, batch);
        }
        else
        {
            keyFormat.ReadKey(record.Key, table, null);
            if (envelope.AfterStart < 0)
            {
                throw new FormatException($"an event with op={(char)envelope.Operation} has no after");
            }

            format.WriteRow(record.Value!, envelope, table, batch);
        }

        CheckKeyValues(table, batch);
        if (operation is ChangeOperation.Insert or ChangeOperation.SnapshotRow)
        {
            SchemaDrift.CheckRequired(table, batch);
        }

        return Commit(record, batch, route, operation, RecordHeaders.KeyChangeOf(record, operation));
    }

    /// <summary>Rows without a key are found by all of their columns, so the row as it was is needed.</summary>
    private DecodeResult KeylessChange(LogRecord record, ChangeBatch batch, TablePlan table, IRecordFormat format, ChangeOperation operation)
    {
        var hasBefore = operation is ChangeOperation.Update or ChangeOperation.Delete;
        if (hasBefore && envelope.BeforeStart < 0)
        {
            throw new FaultException(FaultKind.Poison, "keyless-identity", $"A change of {table.Name}, which has no key, does not say which row it was",
                $"ALTER TABLE {table.Source.Sql} REPLICA IDENTITY FULL, and copy the table again");
        }

        if (operation != ChangeOperation.Delete && envelope.AfterStart < 0)
        {
            throw new FormatException($"an event with op={(char)envelope.Operation} has no after");
        }

        BeginValues(batch, operation);
        if (operation != ChangeOperation.Delete)
        {
            format.WriteRow(record.Value!, envelope, table, batch);
            if (operation != ChangeOperation.Update)
            {
                SchemaDrift.CheckRequired(table, batch);
            }
        }

        if (hasBefore)
        {
            format.WriteBefore(record.Value!, envelope, table, batch);
        }

        return Commit(record, batch, table.Route!, operation, KeyChangeHalf.None);
    }

    private void BeginValues(ChangeBatch batch, ChangeOperation operation)
    {
        writer.Output = batch;
        writer.Array.Reset();
        writer.InArray = false;
        writer.SnapshotRow = operation == ChangeOperation.SnapshotRow;
    }

    private DecodeResult Commit(LogRecord record, ChangeBatch batch, TableRoute route, ChangeOperation operation, KeyChangeHalf half)
    {
        batch.CommitRow(route, operation, record.Offset, envelope.Source.Position, half, envelope.Source.TimestampMs, runs.Of(record), envelope.Source.RunMayBeginWithinLsn);
        return new DecodeResult(DecodeKind.Change, envelope.Source.TimestampMs);
    }

    private ChangeOperation Operation() => envelope.Operation switch
    {
        (byte)'c' => ChangeOperation.Insert,
        (byte)'u' => ChangeOperation.Update,
        (byte)'d' => ChangeOperation.Delete,
        (byte)'r' => ChangeOperation.SnapshotRow,
        (byte)'t' => ChangeOperation.Truncate,
        _ => throw new FormatException($"op '{(char)envelope.Operation}' is not known"),
    };

    /// <summary>Without its key a row can neither be written nor reselected.</summary>
    private static void CheckKeyValues(TablePlan table, ChangeBatch batch)
    {
        var route = table.Route!;
        foreach (var ordinal in route.Key.Columns)
        {
            var state = batch.OpenSlot(ordinal).State;
            if (state != ColumnState.Value)
            {
                throw new FaultException(new Fault(
                    FaultKind.Poison,
                    "key-unavailable",
                    $"Key column {route.SourceColumns[ordinal]} of {table.Name} is {state.ToString().ToLowerInvariant()} in the event",
                    "Identify the rows by columns whose type Debezium carries faithfully"));
            }
        }
    }

    private static FaultException Keyless(string table) => new(
        FaultKind.Poison,
        "keyless",
        $"A row change of {table} has no key",
        "Give the source table a primary key, or REPLICA IDENTITY USING INDEX on a unique index of NOT NULL columns, or say 'keyless: true' for it in the migration file");

    private Fault Place(Fault fault, LogRecord record, TablePlan? table) => fault with
    {
        Lane = record.Lane,
        Offset = record.Offset,
        Table = fault.Table ?? table?.Name,
        Key = fault.Key ?? formats.KeyText(record.Key),
    };
}

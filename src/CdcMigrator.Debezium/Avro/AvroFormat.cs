using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using CdcMigrator.Debezium.Envelopes;
using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Debezium.Avro;

/// <summary>Avro in Confluent's wire format: a zero byte, the schema's id in four bytes, the value.</summary>
internal sealed class AvroFormat(DebeziumSettings settings, SchemaStore schemas, ValueWriter writer) : IRecordFormat
{
    /// <summary>Bytes in front of the value.</summary>
    public const int Head = 5;

    /// <inheritdoc />
    public string? Column { get; set; }

    /// <summary>The schema id of a key or value in this format.</summary>
    public static int IdOf(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(bytes[1..]);

    /// <inheritdoc />
    public void ReadEnvelope(byte[] value, Envelope envelope)
    {
        Column = null;
        AvroEnvelopes.Read(value, Head, Root(value), envelope);
    }

    /// <inheritdoc />
    public void WriteRow(byte[] value, Envelope envelope, TablePlan table, ChangeBatch batch)
    {
        var root = Root(value);
        var record = AfterOf(root);
        var plan = PlanOf(root, record, table);
        plan.Begin(batch);
        WriteImage(value.AsSpan(envelope.AfterStart, envelope.AfterLength), record, plan, batch);
        table.LeaveToTheSource(batch, writer.SnapshotRow);
    }

    /// <inheritdoc />
    public void WriteBefore(byte[] value, Envelope envelope, TablePlan table, ChangeBatch batch)
    {
        // The same record type as after, by Debezium's making.
        var root = Root(value);
        var record = AfterOf(root);
        var plan = PlanOf(root, record, table);
        plan.BeginBefore(batch);
        WriteImage(value.AsSpan(envelope.BeforeStart, envelope.BeforeLength), record, plan, batch);
        table.LeaveToTheSource(batch, writer.SnapshotRow);
    }

    /// <inheritdoc />
    public void ReadKey(byte[] key, TablePlan table, ChangeBatch? batch)
    {
        var root = Root(key);
        if (root.Kind != AvroKind.Record)
        {
            throw new FormatException("the key's schema is no record");
        }

        if (!table.Keys.TryGetValue(root, out var plan))
        {
            plan = new RowPlan(table, root.Connect, isKey: true, settings);
            table.Keys.Add(root, plan);
        }

        var fields = plan.InOrder(root.Names);
        plan.CheckKey(fields.Length);
        if (batch is null)
        {
            return;
        }

        var reader = new AvroReader(key.AsSpan(Head));
        for (var i = 0; i < fields.Length; i++)
        {
            WriteField(ref reader, root.Children[i], fields[i], batch);
        }

        Column = null;
        if (reader.Left > 0)
        {
            throw new FormatException("the key goes on behind its schema's end");
        }
    }

    /// <inheritdoc />
    public void ReadRowTexts(
        byte[] value, Envelope envelope, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, out string? firstText, out string? secondText)
    {
        if (envelope.AfterStart < 0)
        {
            throw new FormatException($"an event with op={(char)envelope.Operation} has no after");
        }

        var reader = new AvroReader(value.AsSpan(envelope.AfterStart, envelope.AfterLength));
        ReadTexts(ref reader, AfterOf(Root(value)), first, second, out firstText, out secondText);
    }

    /// <inheritdoc />
    public string KeyText(byte[] key)
    {
        var root = Root(key);
        var parts = new List<string>();
        foreach (var name in root.Names)
        {
            ReadKeyTexts(key, Encoding.UTF8.GetBytes(name), out var text);
            parts.Add($"\"{name}\":{(text is null ? "…" : root.Field(name)!.Connect.Kind == ConnectKind.Text ? $"\"{text}\"" : text)}");
        }

        return $"{{{string.Join(',', parts)}}}";
    }

    /// <inheritdoc />
    public void ReadKeyTexts(byte[] key, ReadOnlySpan<byte> column, out string? text)
    {
        var reader = new AvroReader(key.AsSpan(Head));
        ReadTexts(ref reader, Root(key), column, default, out text, out _);
    }

    private static FieldPlan[] Fields(RowPlan plan, IReadOnlyList<string> names)
    {
        try
        {
            return plan.InOrder(names);
        }
        catch (FaultException fault) when (fault.Fault.Code == SchemaDrift.UnknownColumn)
        {
            throw plan.Drifted(names);
        }
    }

    private static AvroNode AfterOf(AvroNode root) => root.Field("after")?.Record ?? throw new FormatException("the value's schema has no after");

    private static void ReadTexts(
        ref AvroReader reader, AvroNode record, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, out string? firstText, out string? secondText)
    {
        firstText = secondText = null;
        for (var i = 0; i < record.Children.Count; i++)
        {
            var name = Encoding.UTF8.GetBytes(record.Names[i]);
            var node = record.Children[i].Kind == AvroKind.Union ? reader.ReadBranch(record.Children[i]) : record.Children[i];
            string? text = null;
            if (node.Kind == AvroKind.Text)
            {
                text = Encoding.UTF8.GetString(reader.ReadBytes());
            }
            else if (node.Kind == AvroKind.Integer)
            {
                text = reader.ReadInteger().ToString(CultureInfo.InvariantCulture);
            }
            else
            {
                reader.Skip(node);
            }

            firstText = name.AsSpan().SequenceEqual(first) ? text : firstText;
            secondText = name.AsSpan().SequenceEqual(second) ? text : secondText;
        }
    }

    private RowPlan PlanOf(AvroNode root, AvroNode record, TablePlan table)
    {
        if (!table.Rows.TryGetValue(root, out var plan))
        {
            plan = new RowPlan(table, record.Connect, isKey: false, settings);
            table.Rows.Add(root, plan);
        }

        return plan;
    }

    private void WriteImage(ReadOnlySpan<byte> bytes, AvroNode record, RowPlan plan, ChangeBatch batch)
    {
        var fields = Fields(plan, record.Names);
        var reader = new AvroReader(bytes);
        for (var i = 0; i < fields.Length; i++)
        {
            WriteField(ref reader, record.Children[i], fields[i], batch);
        }

        Column = null;
    }

    private AvroNode Root(byte[] bytes) => schemas.Compiled(IdOf(bytes));

    private void WriteField(ref AvroReader reader, AvroNode node, FieldPlan field, ChangeBatch batch)
    {
        Column = field.Name;
        if (field.Ordinal < 0)
        {
            reader.Skip(node);
        }
        else if (field.Type.IsUnfaithful)
        {
            reader.Skip(node);
            batch.SetUnfaithful(field.Ordinal);
        }
        else
        {
            batch.BeginValue();
            RowSink.End(field, AvroValues.Write(ref reader, node, field.Type, writer), batch);
        }
    }
}

using CdcMigrator.Debezium.Envelopes;
using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Debezium.Json;

/// <summary>JSON, with or without schemas.</summary>
internal sealed class JsonFormat(DebeziumSettings settings, ValueWriter writer) : IRecordFormat
{
    private readonly JsonWrappers wrappers = new();
    private readonly JsonRows rows = new(writer);
    private ConnectSchema? schema;

    /// <inheritdoc />
    public string? Column
    {
        get => rows.Column;
        set => rows.Column = value;
    }

    /// <inheritdoc />
    public void ReadEnvelope(byte[] value, Envelope envelope)
    {
        var payload = wrappers.Unwrap(value);
        schema = payload.Schema;
        JsonEnvelopes.Read(value.AsSpan(payload.Start, payload.Length), payload.Start, envelope);
    }

    /// <inheritdoc />
    public void WriteRow(byte[] value, Envelope envelope, TablePlan table, ChangeBatch batch)
    {
        var plan = Plan(table, table.Rows, schema, schema?.Field("after"), isKey: false);
        batch.BeginRow(table.Route!);
        try
        {
            rows.WriteRow(value.AsSpan(envelope.AfterStart, envelope.AfterLength), plan, batch);
            table.LeaveToTheSource(batch, writer.SnapshotRow);
        }
        catch (FaultException fault) when (fault.Fault.Code == SchemaDrift.UnknownColumn)
        {
            throw plan.Drifted(JsonRows.Names(value.AsSpan(envelope.AfterStart, envelope.AfterLength)));
        }
    }

    /// <inheritdoc />
    public void WriteBefore(byte[] value, Envelope envelope, TablePlan table, ChangeBatch batch)
    {
        var plan = Plan(table, table.Rows, schema, schema?.Field("after"), isKey: false);
        plan.BeginBefore(batch);
        rows.WriteRow(value.AsSpan(envelope.BeforeStart, envelope.BeforeLength), plan, batch);
        table.LeaveToTheSource(batch, writer.SnapshotRow);
    }

    /// <inheritdoc />
    public void ReadKey(byte[] key, TablePlan table, ChangeBatch? batch)
    {
        var payload = wrappers.Unwrap(key);
        var plan = Plan(table, table.Keys, payload.Schema, payload.Schema, isKey: true);
        rows.ReadKey(key.AsSpan(payload.Start, payload.Length), plan, batch);
    }

    /// <inheritdoc />
    public void ReadRowTexts(
        byte[] value, Envelope envelope, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, out string? firstText, out string? secondText)
    {
        if (envelope.AfterStart < 0)
        {
            throw new FormatException($"an event with op={(char)envelope.Operation} has no after");
        }

        JsonRows.ReadTexts(value.AsSpan(envelope.AfterStart, envelope.AfterLength), first, second, out firstText, out secondText);
    }

    /// <inheritdoc />
    public string KeyText(byte[] key)
    {
        var payload = wrappers.Unwrap(key);
        return System.Text.Encoding.UTF8.GetString(key, payload.Start, payload.Length);
    }

    /// <inheritdoc />
    public void ReadKeyTexts(byte[] key, ReadOnlySpan<byte> column, out string? text)
    {
        var payload = wrappers.Unwrap(key);
        JsonRows.ReadTexts(key.AsSpan(payload.Start, payload.Length), column, default, out text, out _);
    }

    private RowPlan Plan(TablePlan table, Dictionary<object, RowPlan> plans, ConnectSchema? whole, ConnectSchema? fields, bool isKey)
    {
        object identity = whole is null ? table : whole;
        if (!plans.TryGetValue(identity, out var plan))
        {
            plan = new RowPlan(table, fields, isKey, settings);
            plans.Add(identity, plan);
        }

        return plan;
    }
}

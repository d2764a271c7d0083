using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.TestKit.Kafka;

/// <summary>
/// Reads a value as plain text: <c>poison…</c> (a column the target lacks), <c>broken…</c> (undecodable), <c>truncate</c> (<c>truncate:public.other</c>, <c>truncate@10/20</c>: of another table, at commit/lsn), <c>schema:7</c>, <c>marker:…</c>, <c>fence-heartbeat</c> and <c>heartbeat</c> mean what
/// they say, null is a tombstone, anything else is a change.
/// </summary>
public sealed class TextDecoder(TextDecoderState state) : IRecordDecoder
{
    private static readonly ColumnType Text = new("text", ColumnKind.Text);

    private static readonly TableRoute Route = new(
        new TableMapping { Source = new TableName("public", "t"), Target = new TableName("public", "t") },
        new TargetTable
        {
            Name = new TableName("public", "t"),
            Columns = [new TargetColumn("id", Text), new TargetColumn("val", Text)],
            Keys = [new UniqueKey("t_pkey", [0], true)],
        },
        new UniqueKey("t_pkey", [0], true));

    public DecodeResult Decode(LogRecord record, ChangeBatch batch)
    {
        if (record.Value is null)
        {
            return new DecodeResult(DecodeKind.Tombstone);
        }

        var text = Encoding.UTF8.GetString(record.Value);
        if (text.StartsWith("poison", StringComparison.Ordinal) && !state.Cured)
        {
            throw new FaultException(FaultKind.Poison, "unknown-column", $"The target has no column for '{text}'", "Add it.");
        }

        if (text.StartsWith("schema:", StringComparison.Ordinal) && !state.Schemas.ContainsKey(int.Parse(text.AsSpan(7), null)))
        {
            return new DecodeResult(DecodeKind.NeedsSchema, SchemaId: int.Parse(text.AsSpan(7), null));
        }

        if (text == "heartbeat")
        {
            return new DecodeResult(DecodeKind.Heartbeat, record.TimestampMs);
        }

        if (text.StartsWith("marker:", StringComparison.Ordinal) || text == "fence-heartbeat")
        {
            var id = text == "fence-heartbeat" ? "heartbeat" : text;
            return new DecodeResult(DecodeKind.Fence, record.TimestampMs, Fence: new FenceRow(id, text, SourcePosition.None));
        }

        if (text.StartsWith("broken", StringComparison.Ordinal) && !state.Cured)
        {
            throw new FaultException(new Fault(FaultKind.Poison, "undecodable", $"'{text}' cannot be decoded") { Offset = record.Offset });
        }

        batch.BeginRow(Route);
        batch.SetValue(0, record.Key ?? []);
        batch.SetValue(1, record.Value);
        batch.CommitRow(Route, ChangeOperation.Insert, record.Offset, SourcePosition.None, KeyChangeHalf.None, record.TimestampMs);
        return new DecodeResult(DecodeKind.Change, record.TimestampMs);
    }

    public KeyReading ReadKey(LogRecord record)
    {
        var text = record.Value is null ? "heartbeat" : Encoding.UTF8.GetString(record.Value);
        return text is "heartbeat" or "fence-heartbeat" || text.StartsWith("marker:", StringComparison.Ordinal) ? default
            : text.StartsWith("truncate", StringComparison.Ordinal) ? new KeyReading(null, PositionOf(text), Truncated: text.StartsWith("truncate:", StringComparison.Ordinal) ? text["truncate:".Length..] : "public.t")
            : record.Key is null ? throw new FaultException(FaultKind.Poison, "keyless", "the record has no key")
            : new KeyReading(new ChangeKey("public.t", Encoding.UTF8.GetString(record.Key)));
    }

    private static SourcePosition PositionOf(string text) =>
        text.Split('@', '/') is [_, var commit, var lsn] ? new SourcePosition(ulong.Parse(commit, null), ulong.Parse(lsn, null), 0) : SourcePosition.None;
}

using System.Buffers;
using System.Buffers.Text;
using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Writes rows in COPY's text format, from the batch's bytes to the connection: only backslash, tab, newline and carriage return are escaped.</summary>
internal static class CopyText
{
    private const int ChunkSize = 128 * 1024;
    private static readonly SearchValues<byte> Special = SearchValues.Create("\\\t\n\r"u8);

    /// <summary>Writes every row of a group with its ordinal, from 1, as the last field, or without.</summary>
    public static async Task WriteAsync(NetEffect net, RowGroup group, bool ordinals, Stream stream, CancellationToken cancellationToken)
    {
        var chunk = new ArrayBufferWriter<byte>(ChunkSize + 4096);
        for (var n = 0; n < group.Rows.Count; n++)
        {
            WriteRow(net, group, n, ordinals, chunk);
            if (chunk.WrittenCount >= ChunkSize)
            {
                await stream.WriteAsync(chunk.WrittenMemory, cancellationToken);
                chunk.ResetWrittenCount();
            }
        }

        await stream.WriteAsync(chunk.WrittenMemory, cancellationToken);
    }

    /// <summary>One value with its escapes.</summary>
    internal static void WriteValue(ReadOnlySpan<byte> value, IBufferWriter<byte> output)
    {
        while (true)
        {
            var special = value.IndexOfAny(Special);
            output.Write(special < 0 ? value : value[..special]);
            if (special < 0)
            {
                return;
            }

            output.Write(value[special] switch
            {
                (byte)'\\' => "\\\\"u8,
                (byte)'\t' => "\\t"u8,
                (byte)'\n' => "\\n"u8,
                _ => "\\r"u8,
            });
            value = value[(special + 1)..];
        }
    }

    private static void WriteRow(NetEffect net, RowGroup group, int n, bool ordinals, ArrayBufferWriter<byte> output)
    {
        var slots = net.Slots(net.Rows[group.Rows[n]]);
        for (var i = 0; i < group.Columns.Length; i++)
        {
            if (i > 0)
            {
                output.Write("\t"u8);
            }

            var slot = slots[group.Columns[i]];
            if (slot.State == ColumnState.Value)
            {
                WriteValue(net.Batch.Value(slot), output);
            }
            else
            {
                output.Write("\\N"u8);
            }
        }

        if (ordinals)
        {
            output.Write("\t"u8);
            Utf8Formatter.TryFormat(n + 1, output.GetSpan(16), out var written);
            output.Advance(written);
        }

        output.Write("\n"u8);
    }
}

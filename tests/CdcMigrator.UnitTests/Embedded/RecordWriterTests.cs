using System.Text;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Publishing;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Embedded;

public sealed class RecordWriterTests : IDisposable
{
    private static readonly SourceTable Table = new(new TableName("public", "T\"able"), 1, "p.public.t", ["id", "weird \"ü\"", "n"], ["id"], false);
    private readonly RecordWriter writer = new("p", "shop", new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1700000000123)));
    private readonly RowShape shape = new(Table, Table.Columns);

    [Fact]
    public void Streamed_change_is_written_like_this()
    {
        var (row, cells) = Row("7", "a\"b\\\n😀", null);
        cells[2] = new Cell(CellKind.Unchanged, 0, 0);
        Assert.Equal("""{"id":"7"}""", Encoding.UTF8.GetString(writer.Key(shape, row, cells)!));
        Assert.Equal(
            """{"before":null,"after":{"id":"7","weird \"ü\"":"a\"b\\\n\uD83D\uDE00","n":[]},"source":{"version":"embedded","connector":"postgresql","name":"p","ts_ms":1699999999999,"snapshot":"false","db":"shop","sequence":"[\"200\",\"150\"]","schema":"public","table":"T\"able","txId":733,"lsn":150},"op":"u","ts_ms":1700000000123}""",
            Encoding.UTF8.GetString(writer.Value(shape, (byte)'u', row, default, cells, new ChangeOrigin(200, 150, 733, 1699999999999))));
    }

    [Fact]
    public void Snapshot_row_is_written_like_this()
    {
        var (row, cells) = Row("7", "", null);
        Assert.Equal(
            """{"before":null,"after":{"id":"7","weird \"ü\"":"","n":null},"source":{"version":"embedded","connector":"postgresql","name":"p","ts_ms":5,"snapshot":"true","db":"shop","sequence":"[null,\"150\"]","schema":"public","table":"T\"able","txId":null,"lsn":150},"op":"r","ts_ms":1700000000123}""",
            Encoding.UTF8.GetString(writer.Value(shape, (byte)'r', row, default, cells, new ChangeOrigin(0, 150, 0, 5))));
    }

    [Fact]
    public void Text_that_is_not_UTF8_names_table_and_column()
    {
        var fault = Assert.Throws<FaultException>(() => writer.Value(shape, (byte)'c', [0xff], default, [new Cell(CellKind.Text, 0, 1), Cell.Null, Cell.Null], default)).Fault;
        Assert.Equal(("invalid-utf8", FaultKind.Poison), (fault.Code, fault.Kind));
        Assert.Contains("Column id of public.T", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_column_that_is_gone_breaks_the_log() =>
        Assert.Equal("key-changed", Assert.Throws<FaultException>(() => new RowShape(Table, ["n"])).Fault.Code);

    public void Dispose() => writer.Dispose();

    private static (byte[] Row, Cell[] Cells) Row(params string?[] values)
    {
        var bytes = new List<byte>();
        var cells = values.Select(value =>
        {
            if (value is null)
            {
                return Cell.Null;
            }

            var text = Encoding.UTF8.GetBytes(value);
            bytes.AddRange(text);
            return new Cell(CellKind.Text, bytes.Count - text.Length, text.Length);
        }).ToArray();
        return ([.. bytes], cells);
    }
}

using System.Text;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.Publishing;
using CdcMigrator.Embedded.Replication;

namespace CdcMigrator.UnitTests.Embedded;

public sealed class CopyTextReaderTests
{
    [Fact]
    public async Task Escapes_nulls_and_empty_strings_are_told_apart()
    {
        var rows = await ReadAsync("a\\tb\t\\N\t\n\\\\N\t\\\\\\n\\r\\b\\f\\v\tü😀\n", 3);
        Assert.Equal([["a\tb", null, ""], ["\\N", "\\\n\r\b\f\v", "ü😀"]], rows);
    }

    [Fact]
    public async Task Rows_longer_than_the_buffer_and_cut_anywhere_are_whole()
    {
        var text = string.Concat(Enumerable.Range(0, 50).Select(i => $"{i}\t{new string('x', i * 5000)}\\n\n"));
        var rows = await ReadAsync(text, 2, chunk: 1009);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => new[] { $"{i}", new string('x', i * 5000) + "\n" }), rows);
    }

    [Theory]
    [InlineData("a\n")]
    [InlineData("a\tb\tc\n")]
    [InlineData("a\tb")]
    public async Task Wrong_number_of_columns_or_a_cut_row_is_refused(string text) =>
        await Assert.ThrowsAsync<FaultException>(() => ReadAsync(text, 2));

    private static async Task<List<string?[]>> ReadAsync(string text, int columns, int chunk = 7)
    {
        var reader = new CopyTextReader(new DripStream(Encoding.UTF8.GetBytes(text), chunk), columns);
        var rows = new List<string?[]>();
        while (await reader.ReadAsync(CancellationToken.None))
        {
            rows.Add([.. reader.Cells.Select(cell => cell.Kind == CellKind.Null ? null : Encoding.UTF8.GetString(cell.Of(reader.Buffer)))]);
        }

        return rows;
    }

    private sealed class DripStream(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(chunk, buffer.Length)], cancellationToken);
    }
}

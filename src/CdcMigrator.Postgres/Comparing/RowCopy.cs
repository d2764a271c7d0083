using System.Buffers.Binary;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>Rows of a query by <c>COPY … TO STDOUT (FORMAT BINARY)</c>, without an object for a value.</summary>
internal static class RowCopy
{
    private const int FirstSize = 128 * 1024;
    private const int HeaderSize = 19;
    private const int EndOfRows = -1;

    /// <summary>Reads every row into <paramref name="row"/> and calls back.</summary>
    /// <exception cref="NpgsqlException">The query failed.</exception>
    public static async Task ForEachAsync(NpgsqlConnection connection, string query, IReadOnlyList<CopiedColumn> columns, RowBytes row, Action action, CancellationToken cancellationToken)
    {
        await using var stream = await connection.BeginRawBinaryCopyAsync($"copy ({query}) to stdout (format binary)", cancellationToken);
        var buffer = new byte[FirstSize];
        var (start, end, header) = (0, 0, true);
        while (true)
        {
            if (header && end >= HeaderSize)
            {
                // Signature, flags, and an extension that no server sends yet.
                start = HeaderSize + BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(HeaderSize - sizeof(int)));
                header = false;
            }

            while (!header && TryRead(buffer.AsSpan(start, end - start), columns, row, out var size))
            {
                if (size == 0)
                {
                    return;
                }

                action();
                start += size;
            }

            if (start > 0 && !header)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }

            if (end == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            // The server sends a message a row: as many as there are at hand are taken together.
            var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
            if (read == 0)
            {
                throw new EndOfStreamException("the copy ended without its end mark");
            }

            end += read;
        }
    }

    /// <summary>One row; false where not all of it is there. Size 0 is the end.</summary>
    private static bool TryRead(ReadOnlySpan<byte> bytes, IReadOnlyList<CopiedColumn> columns, RowBytes row, out int size)
    {
        size = 0;
        if (bytes.Length < sizeof(short))
        {
            return false;
        }

        var fields = BinaryPrimitives.ReadInt16BigEndian(bytes);
        if (fields == EndOfRows)
        {
            return true;
        }

        var place = sizeof(short);
        for (var field = 0; field < fields; field++)
        {
            if (bytes.Length - place < sizeof(int))
            {
                return false;
            }

            var length = Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(bytes[place..]));
            if (bytes.Length - place - sizeof(int) < length)
            {
                return false;
            }

            place += sizeof(int) + length;
        }

        (size, place) = (place, sizeof(short));
        row.Begin();
        for (var field = 0; field < fields; field++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes[place..]);
            place += sizeof(int);
            if (length < 0)
            {
                row.AddNull();
                continue;
            }

            columns[field].Add(bytes.Slice(place, length), row);
            place += length;
        }

        return true;
    }
}

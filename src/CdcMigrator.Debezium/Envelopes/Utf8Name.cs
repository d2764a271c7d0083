using System.Text;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>A short name copied from a record, comparable without becoming a string. Reused for every record.</summary>
internal sealed class Utf8Name
{
    private byte[] bytes = new byte[64];

    /// <summary>Length in bytes; 0 also where the record says nothing.</summary>
    public int Length { get; private set; }

    /// <summary>Room for a name of at most this many bytes; end it with <see cref="SetLength"/>.</summary>
    public Span<byte> Room(int length)
    {
        if (bytes.Length < length)
        {
            bytes = new byte[length * 2];
        }

        return bytes.AsSpan(0, length);
    }

    /// <summary>Ends a name written to <see cref="Room"/>.</summary>
    public void SetLength(int length) => Length = length;

    /// <summary>Takes a name.</summary>
    public void Set(ReadOnlySpan<byte> name)
    {
        name.CopyTo(Room(name.Length));
        Length = name.Length;
    }

    /// <summary>Whether it is this name.</summary>
    public bool Is(ReadOnlySpan<byte> name) => bytes.AsSpan(0, Length).SequenceEqual(name);

    /// <summary>The name.</summary>
    public override string ToString() => Encoding.UTF8.GetString(bytes, 0, Length);
}

using System.Text;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Service.Switching;

/// <summary>Keeps the end of what something prints, and shows it without secrets, whole or cut. Thread-safe.</summary>
internal sealed class OutputTail
{
    /// <summary>Most bytes that are shown.</summary>
    public const int Length = 4096;
    private readonly Lock gate = new();
    private readonly string[] secrets;
    private readonly int margin;
    private readonly byte[] buffer;
    private int filled;
    private bool cut;

    /// <param name="secrets">Texts that are shown nowhere.</param>
    public OutputTail(IEnumerable<string> secrets)
    {
        this.secrets = [.. secrets.Where(secret => secret.Length > 0).Distinct(StringComparer.Ordinal).OrderByDescending(secret => secret.Length)];
        margin = this.secrets.Select(Encoding.UTF8.GetByteCount).DefaultIfEmpty(0).Max();
        buffer = new byte[2 * (Length + margin)];
    }

    /// <summary>Reads a stream to its end.</summary>
    public async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var part = new byte[4096];
        while (await stream.ReadAsync(part, cancellationToken) is var read and > 0)
        {
            Add(part.AsSpan(0, read));
        }
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            if (bytes.Length > Length + margin)
            {
                bytes = bytes[^(Length + margin)..];
                filled = 0;
                cut = true;
            }

            if (filled + bytes.Length > buffer.Length)
            {
                var kept = Length + margin - bytes.Length;
                buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
                filled = kept;
                cut = true;
            }

            bytes.CopyTo(buffer.AsSpan(filled));
            filled += bytes.Length;
        }
    }

    /// <summary>What may be shown: without secrets and control characters, marked where it is not all.</summary>
    public override string ToString()
    {
        lock (gate)
        {
            var shown = Math.Min(filled, Length + margin);
            var isCut = cut || shown < filled;
            var text = Encoding.UTF8.GetString(buffer, filled - shown, shown);

            // A secret that begins before what is kept shows its end within the margin, which is therefore not shown.
            var from = isCut ? Math.Min(text.Length, margin) : 0;
            var result = new StringBuilder(isCut ? "… " : "");
            for (var at = 0; at < text.Length;)
            {
                if (Array.Find(secrets, secret => string.CompareOrdinal(text, at, secret, 0, secret.Length) == 0) is { } secret)
                {
                    result.Append(at + secret.Length > from ? Redaction.Mark : "");
                    at += secret.Length;
                    continue;
                }

                if (at >= from)
                {
                    result.Append(text[at] is '\n' or '\t' || !char.IsControl(text[at]) ? text[at] : ' ');
                }

                at++;
            }

            return result.ToString().TrimEnd();
        }
    }
}

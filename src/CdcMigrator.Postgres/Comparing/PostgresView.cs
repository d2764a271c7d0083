using System.Globalization;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// What <c>pg_current_snapshot()</c> says: <c>xmin:xmax:xip,…</c>, 64-bit ids of top-level transactions. Events carry ids modulo 2^32, of which all that live are within
/// 2^31 of each other, so that an id means the one nearest to the snapshot's.
/// </summary>
public sealed class PostgresView : ISourceView
{
    private readonly string text;
    private readonly long xmin;
    private readonly long xmax;
    private readonly HashSet<long> running;

    private PostgresView(string text, long xmin, long xmax, HashSet<long> running)
    {
        this.text = text;
        this.xmin = xmin;
        this.xmax = xmax;
        this.running = running;
    }

    /// <summary>Reads a snapshot's text.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static PostgresView Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        return parts.Length == 3
            ? new PostgresView(text, Id(parts[0]), Id(parts[1]), [.. parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Id)])
            : throw new FormatException($"'{text}' is no snapshot");
    }

    /// <inheritdoc />
    public bool Sees(ulong transaction) => Whole(transaction) is var id && id < xmax && !running.Contains(id);

    /// <inheritdoc />
    public bool IsPast(ISourceView earlier) => earlier is PostgresView other && other.xmax <= xmin;

    /// <inheritdoc />
    public override string ToString() => text;

    private static long Id(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private long Whole(ulong transaction) => xmax + unchecked((int)((uint)transaction - (uint)xmax));
}

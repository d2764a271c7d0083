using System.Globalization;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// What <c>txid_current_snapshot()</c> says (the name every version knows): <c>xmin:xmax:xip,…</c>, 64-bit ids of top-level transactions; and behind it the next id that was to be given. xmax is not that: it
/// follows the last one that ended, and younger ones may have begun. Events carry ids modulo 2^32, of which all that live are within 2^31 of each other, so
/// that an id means the one nearest to the snapshot's.
/// </summary>
public sealed class PostgresView : ISourceView
{
    private readonly string text;
    private readonly long xmin;
    private readonly long xmax;
    private readonly long next;
    private readonly HashSet<long> running;

    private PostgresView(string text, long xmin, long xmax, HashSet<long> running, long next)
    {
        this.text = text;
        this.xmin = xmin;
        this.xmax = xmax;
        this.running = running;
        this.next = next;
    }

    /// <summary>
    /// Columns to select in a transaction's first statement, for <see cref="Of"/>: the snapshot, then how far the next id is from the first one there is, read after
    /// the snapshot was taken.
    /// </summary>
    internal const string Columns = "pg_catalog.txid_current_snapshot()::text, pg_catalog.age('3'::xid)";

    /// <summary>From the values of <see cref="Columns"/>.</summary>
    internal static PostgresView Of(string snapshot, int age)
    {
        var view = Parse($"{snapshot}:0");
        var next = view.Whole(unchecked((uint)age + 3));
        return Parse($"{snapshot}:{next.ToString(CultureInfo.InvariantCulture)}");
    }

    /// <summary>Reads what <see cref="ToString"/> wrote: <c>xmin:xmax:xip,…:next</c>.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static PostgresView Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        return parts.Length == 4
            ? new PostgresView(text, Id(parts[0]), Id(parts[1]), [.. parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Id)], Id(parts[3]))
            : throw new FormatException($"'{text}' is no snapshot");
    }

    /// <inheritdoc />
    public bool Sees(ulong transaction) => Whole(transaction) is var id && id < xmax && !running.Contains(id);

    /// <inheritdoc />
    public bool IsPast(ISourceView earlier) => earlier is PostgresView other && other.next <= xmin;

    /// <inheritdoc />
    public override string ToString() => text;

    private static long Id(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private long Whole(ulong transaction) => xmax + unchecked((int)((uint)transaction - (uint)xmax));
}

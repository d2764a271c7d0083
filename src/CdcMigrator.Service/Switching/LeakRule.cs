namespace CdcMigrator.Service.Switching;

/// <summary>
/// Whether rows of one table of a closed side were changed by somebody else than the migration. Pure, and never wrong where it says so: rows that changed while neither the table's lanes nor anything else of
/// the migration moved, in this interval and the one before (the server's statistics may come some seconds late), were not the migration's. What others write while it is busy with the table is not seen here.
/// </summary>
internal sealed class LeakRule
{
    private const int QuietLooks = 2;
    private string? moves;
    private long counted;
    private int quiet;

    /// <summary>Looks once an interval.</summary>
    /// <param name="rows">Rows changed so far, by the server's count.</param>
    /// <param name="now">Text that changes whenever the migration may have written.</param>
    /// <returns>Rows that others changed since the last look.</returns>
    public long Look(long rows, string now)
    {
        var known = moves is not null;
        quiet = known && moves == now ? quiet + 1 : 0;
        var changed = rows - counted;
        (moves, counted) = (now, rows);
        return known && quiet >= QuietLooks && changed > 0 ? changed : 0;
    }
}

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Whether rows that should be new are copied straight into their table. A copy that meets a row which is there has cost time and left dead rows, so
/// after each the next tries are left out, twice as many every time. Thread-safe; shared by all lanes of a table.
/// </summary>
internal sealed class DirectCopy
{
    private const int MostSkipped = 1024;
    private int failures;
    private int skip;

    /// <summary>Whether <see cref="IsWorthATry"/> would say yes now.</summary>
    public bool MayBeTried => Volatile.Read(ref skip) <= 0;

    /// <summary>Whether to try now. Counts as one of those left out where not.</summary>
    public bool IsWorthATry() => Volatile.Read(ref skip) <= 0 || Interlocked.Decrement(ref skip) < 0;

    public void Succeeded() => Volatile.Write(ref failures, 0);

    public void Failed() => Volatile.Write(ref skip, Math.Min(MostSkipped, 1 << Math.Min(10, Interlocked.Increment(ref failures))));
}

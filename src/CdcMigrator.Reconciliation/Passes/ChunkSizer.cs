namespace CdcMigrator.Reconciliation.Passes;

/// <summary>
/// Chooses how many rows the next chunk has so that it takes about as long as wanted: the weighted rate of the last ones, each counting three quarters of the next
/// (the controller of pt-table-checksum, <c>WeightedAvgRate</c>). At most a doubling a step.
/// </summary>
public sealed class ChunkSizer
{
    private const double Decay = 0.75;
    private const long Smallest = 100;
    private const long First = 5_000;
    private readonly TimeSpan wanted;
    private readonly long largest;
    private double rows;
    private double seconds;

    /// <summary>Makes the chooser.</summary>
    /// <param name="wanted">How long a chunk should take.</param>
    /// <param name="largest">Most rows a chunk.</param>
    public ChunkSizer(TimeSpan wanted, long largest = 1_000_000)
    {
        this.wanted = wanted;
        this.largest = largest;
        Next = Math.Min(First, largest);
    }

    /// <summary>Rows of the next chunk.</summary>
    public long Next { get; private set; }

    /// <summary>Notes how long a chunk took.</summary>
    public void Note(long chunkRows, TimeSpan took)
    {
        rows = (rows * Decay) + Math.Max(chunkRows, 1);
        seconds = (seconds * Decay) + Math.Max(took.TotalSeconds, 0.0001);
        Next = Math.Clamp((long)(rows / seconds * wanted.TotalSeconds), Smallest, Math.Min(largest, Next * 2));
    }
}

namespace CdcMigrator.Streaming.Consuming;

/// <summary>
/// Which of the delivered offsets a lane takes (invariant A2: no silent gaps). Kafka leaves holes where a transaction's control or aborted
/// records lie, and so may a client's fault after a seek or pause. The first hole since the last seek is therefore
/// proven by reading it twice; later ones of the same uninterrupted fetch are of the first kind.
/// </summary>
internal sealed class OffsetRule(long nextOffset)
{
    private long candidate = -1;
    private bool holesProven;

    /// <summary>Offset that comes next.</summary>
    public long Expected { get; private set; } = nextOffset;

    /// <summary>Judges a record at <paramref name="offset"/>, or a partition's end there. Followed by <see cref="MoveTo"/> where it is taken.</summary>
    public OffsetVerdict Judge(long offset)
    {
        if (offset < Expected)
        {
            return OffsetVerdict.Stale;
        }

        if (offset == Expected)
        {
            return OffsetVerdict.Take;
        }

        if (holesProven || candidate == offset)
        {
            holesProven = true;
            return OffsetVerdict.TakeAfterGap;
        }

        candidate = offset;
        return OffsetVerdict.Verify;
    }

    /// <summary>Everything below <paramref name="nextOffset"/> is taken.</summary>
    public void MoveTo(long nextOffset)
    {
        Expected = nextOffset;
        candidate = -1;
    }

    /// <summary>The fetch starts anew at <see cref="Expected"/>: a hole has to be proven again, but a proof under way goes on.</summary>
    public void Sought() => holesProven = false;
}

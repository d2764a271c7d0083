using CdcMigrator.Domain.Applying;

namespace CdcMigrator.Postgres.Apply;

/// <summary>A lane's wait for a unique value that another lane's row holds. Outlives claims, so that a deadline can pass.</summary>
internal sealed class UniqueWait(long offset, long startedAt)
{
    /// <summary>Offset of the change that waits.</summary>
    public long Offset { get; } = offset;

    /// <summary>Timestamp of the first refusal.</summary>
    public long StartedAt { get; } = startedAt;

    /// <summary>Timestamp at which another lane of the topic was last seen to move.</summary>
    public long MovedAt { get; private set; } = startedAt;

    /// <summary>Whether all other lanes were past the change before the last attempt: then no one is left to free the value.</summary>
    public bool NoneBehind { get; private set; }

    private long Sum { get; set; } = -1;

    /// <summary>Notes where the other lanes are now.</summary>
    public void Observe(IReadOnlyCollection<LaneProgress> others, bool noneBehind, long now)
    {
        var sum = others.Sum(lane => lane.NextOffset);
        if (sum != Sum)
        {
            MovedAt = now;
            Sum = sum;
        }

        NoneBehind = noneBehind;
    }
}

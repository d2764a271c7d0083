namespace CdcMigrator.Domain.Fencing;

/// <summary>What a side's row says of its fence.</summary>
/// <param name="State">Whether it takes writes.</param>
/// <param name="Epoch">Number of the attempt that changed it last; the larger one of two sides is the later.</param>
/// <param name="Token">Identity of that attempt; empty before the first.</param>
/// <param name="LeaseLeft">How long a closed side may stay closed without being sealed, by the side's own clock; negative once it is over.</param>
public sealed record FenceRecord(FenceState State, long Epoch, string Token, TimeSpan LeaseLeft)
{
    /// <summary>The last attempt that told applications where to write; not this one's token until its hooks have been run.</summary>
    public string Routed { get; init; } = "";

    /// <summary>How long the row has been as it is, by the side's own clock.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>When the migration was ended, with this side as it is; null while it goes on.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Who ended it.</summary>
    public string? CompletedBy { get; init; }

    /// <summary>The attempt that makes applications wait and has not closed the side yet; empty where there is none.</summary>
    public string Held { get; init; } = "";

    /// <summary>Its number.</summary>
    public long HeldEpoch { get; init; }

    /// <summary>Whether <see cref="Held"/> was not renewed in time: whoever sees it lets applications go.</summary>
    public bool IsHoldOver { get; init; }

    /// <summary>Of a sealed side: left without a way back, so that nothing the other side commits is applied here, and no attempt can lead here.</summary>
    public bool NoReturn { get; init; }

    /// <summary>Closed by an attempt whose lease is over: whoever sees it lifts the fence.</summary>
    public bool IsForsaken => State == FenceState.Closed && LeaseLeft < TimeSpan.Zero;

    /// <summary>Closed, and yet the other side was opened by the same attempt or a later one: an older copy of itself, from before its seal. Whoever lifted its fence would make a second open side.</summary>
    /// <param name="other">The other side; null where it is not known.</param>
    public bool IsOlderThan(FenceRecord? other) => State == FenceState.Closed && other is { State: FenceState.Open } && other.Epoch >= Epoch;

    /// <summary>Whether this side was left by an attempt that did not come to open the other one: whoever sees it goes on.</summary>
    /// <param name="other">The other side.</param>
    public bool IsLeftFor(FenceRecord other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return State == FenceState.Sealed && other.State == FenceState.Sealed && Epoch > other.Epoch;
    }
}

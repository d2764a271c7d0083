using CdcMigrator.Domain.Fencing;

namespace CdcMigrator.Service.Api;

/// <summary>A side, as its own row says.</summary>
/// <param name="State">Whether it takes writes.</param>
/// <param name="Epoch">Number of the attempt that changed it last.</param>
/// <param name="Attempt">Identity of that attempt; empty before the first.</param>
/// <param name="LeaseLeftMs">How long a closed side stays so by itself, in milliseconds; null where it is not closed.</param>
public sealed record CutoverSide(FenceState State, long Epoch, string Attempt, double? LeaseLeftMs)
{
    /// <summary>The attempt that makes applications wait and has not closed the side yet; null where there is none.</summary>
    public string? Held { get; init; }

    /// <summary>Of a side that was left: there is no way back to it.</summary>
    public bool NoReturn { get; init; }

    internal static CutoverSide? Of(FenceRecord? record) => record is null ? null
        : new CutoverSide(record.State, record.Epoch, record.Token, record.State == FenceState.Closed ? Math.Round(record.LeaseLeft.TotalMilliseconds) : null) { Held = record.Held.Length > 0 ? record.Held : null, NoReturn = record.NoReturn };
}

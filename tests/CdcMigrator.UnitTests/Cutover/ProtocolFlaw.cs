namespace CdcMigrator.UnitTests.Cutover;

/// <summary>Ways to build the cutover wrongly. Each must be found by the exploration, or the exploration proves nothing.</summary>
public enum ProtocolFlaw
{
    /// <summary>As it is meant.</summary>
    None,

    /// <summary>The position to drain to is read before the side is closed.</summary>
    PositionBeforeFence,

    /// <summary>Closing does not wait for transactions that write already.</summary>
    NoBarrier,

    /// <summary>The old direction is frozen behind the opening, not with it.</summary>
    FreezeAfterOpen,

    /// <summary>Where the way back begins is decided behind the opening, not with the seal.</summary>
    AimAfterOpen,

    /// <summary>Whoever undoes does not look whether the side is sealed by now.</summary>
    UndoIgnoresSeal,

    /// <summary>Whoever seals does not look whose fence it is.</summary>
    SealIgnoresOwner,

    /// <summary>Whoever opens the other side does not look whether that side has been left again since.</summary>
    OpenIgnoresEpoch,

    /// <summary>Nobody undoes what a dead coordinator left.</summary>
    NoKeeper,

    /// <summary>Whoever opens the other side does not look whether it has still what was proven of it.</summary>
    OpenIgnoresProgress,

    /// <summary>Whoever opens a side that lost something takes a lane beyond its end for one that is there.</summary>
    OpenBeyondEnds,
}

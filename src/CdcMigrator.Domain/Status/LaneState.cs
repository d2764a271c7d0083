namespace CdcMigrator.Domain.Status;

/// <summary>What a lane is doing.</summary>
public enum LaneState
{
    /// <summary>Assigned; taking ownership in the target.</summary>
    Claiming,

    /// <summary>Applying.</summary>
    Running,

    /// <summary>Running, with its partition paused because the target is slower.</summary>
    Paused,

    /// <summary>Lost the connection or a conflict; claims anew after a pause.</summary>
    Retrying,

    /// <summary>Stopped by a fault that a person must see to.</summary>
    Halted,

    /// <summary>Closed: the migration does not go this way now. Opens by itself when it does.</summary>
    Closed,

    /// <summary>Held by a pause: a person said that nothing is applied for now. Goes on by itself when it is resumed.</summary>
    Held,

    /// <summary>Given up to another process.</summary>
    Revoked,
}

namespace CdcMigrator.Domain.Checks;

/// <summary>What a check found. Only <see cref="Pass"/> passes.</summary>
public enum CheckState
{
    /// <summary>As it must be, at the moment it was looked at.</summary>
    Pass,

    /// <summary>Not decided: not as it must be, and changes on their way may be why; or, of a whole, something of it was not asked yet.</summary>
    InFlight,

    /// <summary>Not as it must be, and nothing on its way explains it.</summary>
    Fail,

    /// <summary>It could not be found out.</summary>
    Error,
}

namespace CdcMigrator.Domain.Faults;

/// <summary>Exit codes of <c>cdcm</c>, fixed for scripts.</summary>
public enum ExitCode
{
    /// <summary>Done, equal, gate open.</summary>
    Done = 0,

    /// <summary>Internal error.</summary>
    Internal = 1,

    /// <summary>Usage or configuration.</summary>
    Usage = 2,

    /// <summary>Negative answer: gate closed, mismatch, preflight errors.</summary>
    Negative = 3,

    /// <summary>A dependency is unreachable.</summary>
    Unreachable = 4,

    /// <summary>Timed out and undone.</summary>
    TimedOut = 5,

    /// <summary>Not allowed in this phase.</summary>
    NotAllowed = 6,

    /// <summary>Interrupted.</summary>
    Interrupted = 130,
}

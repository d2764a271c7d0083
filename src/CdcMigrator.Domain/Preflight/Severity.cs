namespace CdcMigrator.Domain.Preflight;

/// <summary>Weight of a preflight finding.</summary>
public enum Severity
{
    /// <summary>Worth knowing.</summary>
    Info,

    /// <summary>Works, with a limit or a risk.</summary>
    Warning,

    /// <summary>Would lose, corrupt or stall: the migration must not start.</summary>
    Error,
}

namespace CdcMigrator.Domain.Faults;

/// <summary>Maps faults to exit codes.</summary>
public static class FaultKindExtensions
{
    /// <summary>The exit code of a command that ends with a fault of this kind.</summary>
    public static ExitCode ToExitCode(this FaultKind kind) => kind switch
    {
        FaultKind.Configuration => ExitCode.Usage,
        FaultKind.Unreachable or FaultKind.Transient => ExitCode.Unreachable,
        FaultKind.Poison or FaultKind.LogBroken => ExitCode.Negative,
        FaultKind.TimedOut => ExitCode.TimedOut,
        FaultKind.NotAllowed or FaultKind.Fenced => ExitCode.NotAllowed,
        _ => ExitCode.Internal,
    };
}

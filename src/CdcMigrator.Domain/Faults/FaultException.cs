namespace CdcMigrator.Domain.Faults;

/// <summary>Carries a <see cref="Faults.Fault"/> to the edge that shows it.</summary>
public sealed class FaultException(Fault fault, Exception? inner = null) : Exception(fault?.ToString(), inner)
{
    /// <summary>Shorthand for the common case.</summary>
    public FaultException(FaultKind kind, string code, string message, string fix = "", Exception? inner = null)
        : this(new Fault(kind, code, message, fix), inner)
    {
    }

    /// <summary>What went wrong.</summary>
    public Fault Fault { get; } = fault ?? throw new ArgumentNullException(nameof(fault));
}

namespace CdcMigrator.Domain.Comparing;

/// <summary>Opens snapshots of both sides. Thread-safe; several may be open at once.</summary>
public interface IComparedSides
{
    /// <summary>A snapshot of the source.</summary>
    /// <exception cref="Faults.FaultException">Unreachable; NotAllowed: the server is a standby, whose snapshots say nothing of transactions.</exception>
    Task<ISourceSnapshot> OpenSourceAsync(CancellationToken cancellationToken);

    /// <summary>A snapshot of the target.</summary>
    Task<ITargetSnapshot> OpenTargetAsync(CancellationToken cancellationToken);
}

using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Domain.Checks;

/// <summary>Finds rows of the target that break its constraints. Read only. Throws <see cref="Faults.FaultException"/> where the target does not answer. Thread-safe.</summary>
public interface ITargetConstraints
{
    /// <summary>Every constraint of some tables that needs a look, with the rows that break it now. One that cannot be checked says so.</summary>
    Task<IReadOnlyList<ConstraintFact>> ScanAsync(IReadOnlyList<ComparedTable> tables, CancellationToken cancellationToken);

    /// <summary>Looks again in a snapshot: the constraint with those rows that break it there; of a foreign key only rows that did so before are looked at.</summary>
    Task<ConstraintFact> LookAgainAsync(ConstraintFact found, IReadOnlyList<ComparedTable> tables, ITargetSnapshot target, CancellationToken cancellationToken);
}

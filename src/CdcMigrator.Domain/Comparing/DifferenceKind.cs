namespace CdcMigrator.Domain.Comparing;

/// <summary>How a row differs.</summary>
public enum DifferenceKind
{
    /// <summary>In the source only.</summary>
    Missing,

    /// <summary>In the target only.</summary>
    Extra,

    /// <summary>In both, with different values.</summary>
    Different,
}

namespace CdcMigrator.Domain.Checks;

/// <summary>Kinds of constraints that rows may break while they are applied in the replica role, or that were never checked.</summary>
public enum ConstraintKind
{
    /// <summary>Not enforced in the replica role, and called valid all the same.</summary>
    ForeignKey,

    /// <summary>Deferrable, so not enforced in the replica role.</summary>
    Unique,

    /// <summary>Deferrable, so not enforced in the replica role.</summary>
    Exclusion,

    /// <summary>NOT VALID: rows from before it may break it.</summary>
    Check,

    /// <summary>NOT NULL that is NOT VALID.</summary>
    NotNull,
}

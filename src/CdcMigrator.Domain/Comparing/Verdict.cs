namespace CdcMigrator.Domain.Comparing;

/// <summary>What is known of a table's equality. Only <see cref="Equal"/> passes a gate.</summary>
public enum Verdict
{
    /// <summary>Not compared yet, or what was compared no longer counts.</summary>
    Unverified,

    /// <summary>Every row was compared equal, each at a moment behind which no change of it is left unverified.</summary>
    Equal,

    /// <summary>No row is wrong, but rows are left whose changes were on their way when they were looked at.</summary>
    InFlight,

    /// <summary>Rows are left that have been on their way each time they were looked at.</summary>
    Suspended,

    /// <summary>At least one row is wrong, and no change explains it.</summary>
    Mismatch,

    /// <summary>The table cannot be compared exactly; the reason says why.</summary>
    Unverifiable,

    /// <summary>The comparison failed; nothing is known.</summary>
    Error,
}

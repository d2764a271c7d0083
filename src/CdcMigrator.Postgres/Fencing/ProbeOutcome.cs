namespace CdcMigrator.Postgres.Fencing;

/// <summary>What became of a probe write.</summary>
public enum ProbeOutcome
{
    /// <summary>Nothing is known: the role cannot be taken, or may write none of the tables. Never a proof that the side is closed.</summary>
    Unknown,

    /// <summary>Every table the role may write refused as read only.</summary>
    Denied,

    /// <summary>A table took the write.</summary>
    Passed,
}

namespace CdcMigrator.Domain.Checks;

/// <summary>What is checked beside the rows themselves.</summary>
public enum CheckKind
{
    /// <summary>Rows of each table, counted, and the sum of their keys' hashes.</summary>
    Counts,

    /// <summary>Business rules of the migration file.</summary>
    Rules,

    /// <summary>Constraints of the target that are not enforced while changes are applied.</summary>
    Constraints,

    /// <summary>Columns, keys, constraints and triggers of both schemas.</summary>
    Schema,

    /// <summary>Versions that a migration tool noted on both sides.</summary>
    SchemaHistory,

    /// <summary>Sequences, and what the cutover has to set them to.</summary>
    Sequences,

    /// <summary>Some rows of large tables between full passes; says less than a pass, and never opens a gate.</summary>
    Samples,
}

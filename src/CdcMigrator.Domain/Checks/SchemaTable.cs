using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Checks;

/// <summary>A table as a catalog has it, as far as both sides' schemas are compared.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">In their order.</param>
public sealed record SchemaTable(TableName Name, IReadOnlyList<SchemaColumn> Columns)
{
    /// <summary>Primary and unique keys, and unique indexes.</summary>
    public IReadOnlyList<SchemaKey> Keys { get; init; } = [];

    /// <summary>CHECK, foreign key and exclusion constraints.</summary>
    public IReadOnlyList<SchemaConstraint> Constraints { get; init; } = [];

    /// <summary>Triggers of users.</summary>
    public IReadOnlyList<SchemaTrigger> Triggers { get; init; } = [];

    /// <summary>Indexes that are not valid or not ready, by name.</summary>
    public IReadOnlyList<string> BrokenIndexes { get; init; } = [];

    /// <summary>Whether logical replication can carry updates and deletes of it: a replica identity that works.</summary>
    public bool HasReplicaIdentity { get; init; } = true;
}

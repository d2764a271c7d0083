using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Checks;

/// <summary>
/// What a database's catalog and its migration tool say, for the checks that need no snapshot of rows. Read only. Throws <see cref="Faults.FaultException"/>
/// (Unreachable, Transient, Configuration). Thread-safe.
/// </summary>
public interface ICheckedSide
{
    /// <summary>The named tables as the catalog has them; those that are not there are left out.</summary>
    Task<IReadOnlyDictionary<TableName, SchemaTable>> ReadTablesAsync(IReadOnlyCollection<TableName> names, CancellationToken cancellationToken);

    /// <summary>What numbers the columns of the named tables, and how far it is.</summary>
    Task<IReadOnlyList<SequenceFact>> ReadSequencesAsync(IReadOnlyCollection<TableName> names, CancellationToken cancellationToken);

    /// <summary>What migration tools noted anywhere in the database.</summary>
    Task<IReadOnlyList<HistoryFact>> ReadHistoryAsync(CancellationToken cancellationToken);
}

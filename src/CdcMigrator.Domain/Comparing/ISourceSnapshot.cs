namespace CdcMigrator.Domain.Comparing;

/// <summary>A snapshot of the source's primary.</summary>
public interface ISourceSnapshot : ISideSnapshot
{
    /// <summary>What it sees.</summary>
    ISourceView View { get; }

    /// <summary>The key that many rows behind another one, in index order; null where fewer rows are left.</summary>
    Task<RowKey?> BoundaryAsync(ComparedTable table, RowKey? after, long rows, CancellationToken cancellationToken);
}

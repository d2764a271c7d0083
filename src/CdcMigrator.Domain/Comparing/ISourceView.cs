namespace CdcMigrator.Domain.Comparing;

/// <summary>What a snapshot of the source sees. Pure and immutable.</summary>
public interface ISourceView
{
    /// <summary>Whether a committed transaction's changes are in the snapshot. What one snapshot sees, every later one sees.</summary>
    bool Sees(ulong transaction);

    /// <summary>Whether every transaction that had begun when an earlier snapshot was taken is seen, or will never be.</summary>
    bool IsPast(ISourceView earlier);

    /// <summary>The snapshot in the source's own words, for evidence.</summary>
    string ToString();
}

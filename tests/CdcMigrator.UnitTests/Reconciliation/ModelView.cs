using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>What a snapshot of the model's source sees.</summary>
internal sealed record ModelView(IReadOnlySet<uint> Visible, uint Next) : ISourceView
{
    /// <summary>The model's first transaction.</summary>
    public const uint First = 100;

    public bool Sees(ulong transaction) => Visible.Contains((uint)transaction);

    public bool IsPast(ISourceView earlier) => Oldest >= ((ModelView)earlier).Next;

    /// <summary>As a server tells it: the oldest transaction that still runs.</summary>
    private uint Oldest => Enumerable.Range((int)First, (int)(Next - First)).Select(id => (uint)id).FirstOrDefault(id => !Visible.Contains(id), Next);
}

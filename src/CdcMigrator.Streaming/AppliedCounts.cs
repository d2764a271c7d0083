using CdcMigrator.Domain.Applying;

namespace CdcMigrator.Streaming;

/// <summary>What all lanes together have applied.</summary>
internal sealed class AppliedCounts
{
    private readonly Lock gate = new();
    private ApplyCounts total;

    public ApplyCounts Total
    {
        get
        {
            lock (gate)
            {
                return total;
            }
        }
    }

    public void Add(ApplyCounts counts)
    {
        lock (gate)
        {
            total += counts;
        }
    }
}

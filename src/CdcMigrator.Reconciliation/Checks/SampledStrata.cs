using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>The rows of a sample, and why each is in it. Not thread-safe.</summary>
internal sealed class SampledStrata
{
    private static readonly IReadOnlyDictionary<SampleStratum, string> Words = new Dictionary<SampleStratum, string>
    {
        [SampleStratum.Random] = "at random",
        [SampleStratum.KeyEnds] = "at the key's ends",
        [SampleStratum.LongestValues] = "with the longest values",
        [SampleStratum.EdgeValues] = "with edge values",
        [SampleStratum.ChangedLast] = "changed last",
        [SampleStratum.Restarts] = "around restarts",
    };

    private readonly Dictionary<SampleStratum, HashSet<RowKey>> strata = Words.Keys.ToDictionary(stratum => stratum, _ => new HashSet<RowKey>());

    /// <summary>All rows, each once.</summary>
    public IReadOnlyCollection<RowKey> Keys => strata.Values.SelectMany(keys => keys).ToHashSet();

    /// <summary>Adds what one side gave.</summary>
    public void Add(IEnumerable<SampledKey> sampled)
    {
        foreach (var (stratum, key) in sampled)
        {
            strata[stratum].Add(key);
        }
    }

    /// <summary>Adds rows of one stratum.</summary>
    public void Add(SampleStratum stratum, IEnumerable<RowKey> keys) => strata[stratum].UnionWith(keys);

    /// <summary>How many of some rows are in each stratum that has any; one may be in several.</summary>
    public string Of(IReadOnlyCollection<RowKey> rows) => string.Join(", ", strata.Select(stratum => (stratum.Key, Count: rows.Count(stratum.Value.Contains)))
        .Where(stratum => stratum.Count > 0).Select(stratum => $"{stratum.Count} {Words[stratum.Key]}"));

    /// <summary>How many rows are in each stratum.</summary>
    public override string ToString() => string.Join(", ", strata.Select(stratum => $"{stratum.Value.Count} {Words[stratum.Key]}"));
}

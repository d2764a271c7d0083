namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>One committed change of the model, or a row the connector's snapshot read.</summary>
/// <param name="Key">The row; null for a truncate.</param>
/// <param name="Value">What it became; null where it is deleted.</param>
/// <param name="Transaction">The transaction; 0 of a read row.</param>
internal sealed record ModelWrite(string? Key, string? Value, uint Transaction)
{
    /// <summary>A snapshot of the connector read the row.</summary>
    public bool IsRead { get; init; }

    /// <summary>The target refuses it until somebody mends the cause: it is parked.</summary>
    public bool IsBad { get; init; }

    /// <summary>The event lacks the value, which is read from the source when it is applied.</summary>
    public bool LacksValue { get; init; }

    /// <summary>Unique values it takes or frees: a later one of the same value waited for it to end.</summary>
    public IReadOnlySet<string> Touches { get; init; } = new HashSet<string>();

    /// <summary>Whether one cannot end before the other has.</summary>
    public bool WaitsFor(ModelWrite earlier) => earlier.Key == Key || earlier.Key is null || Key is null || Touches.Overlaps(earlier.Touches);

    /// <summary>Makes rows what a change makes of them.</summary>
    public static void Replay(SortedDictionary<string, string> rows, string? key, string? value)
    {
        if (key is null)
        {
            rows.Clear();
        }
        else if (value is null)
        {
            rows.Remove(key);
        }
        else
        {
            rows[key] = value;
        }
    }
}

using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Deciding;

/// <summary>Rows of two snapshots held against each other by key and hash. Pure.</summary>
internal static class RowDiff
{
    /// <summary>Rows that are on one side only, or differ.</summary>
    public static IReadOnlyList<RowMismatch> Of(IReadOnlyList<RowHash> source, IReadOnlyList<RowHash> target)
    {
        var there = new Dictionary<RowKey, RowHash>(target.Count);
        foreach (var row in target)
        {
            there[row.Key] = row;
        }

        var differing = new List<RowMismatch>();
        foreach (var row in source)
        {
            if (!there.Remove(row.Key, out var other))
            {
                differing.Add(new RowMismatch(row.Key, DifferenceKind.Missing, []));
            }
            else if (row.Hash != other.Hash || row.Copies != other.Copies)
            {
                differing.Add(new RowMismatch(row.Key, DifferenceKind.Different, []));
            }
        }

        differing.AddRange(there.Keys.Select(key => new RowMismatch(key, DifferenceKind.Extra, [])));
        return differing;
    }

    /// <summary>Names the columns in which rows differ.</summary>
    public static IReadOnlyList<RowMismatch> WithColumns(
        ComparedTable table, IReadOnlyList<RowMismatch> differing, IReadOnlyDictionary<RowKey, string?[]> source, IReadOnlyDictionary<RowKey, string?[]> target) =>
    [
        .. differing.Select(row => row.Kind == DifferenceKind.Different && source.TryGetValue(row.Key, out var here) && target.TryGetValue(row.Key, out var there)
            ? row with { Columns = [.. table.Columns.Where((_, i) => !string.Equals(here[i], there[i], StringComparison.Ordinal)).Select(column => column.Source)] }
            : row),
    ];
}

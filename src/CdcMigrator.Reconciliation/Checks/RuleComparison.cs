using System.Globalization;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>What both queries of a business rule gave, compared. Pure.</summary>
/// <param name="IsEqual">Within the tolerance in every value.</param>
/// <param name="Difference">The largest difference of two numbers, or what differs otherwise; null where nothing does.</param>
/// <param name="Source">What the source gave, short.</param>
/// <param name="Target">What the target gave, short.</param>
public sealed record RuleComparison(bool IsEqual, string? Difference, string Source, string Target)
{
    /// <summary>
    /// Compares rows in any order: numbers as decimals of any size, everything else as text, NULL only with NULL. Rows are paired by what is not a number, then by their
    /// order as numbers.
    /// </summary>
    /// <param name="source">Rows of the source.</param>
    /// <param name="target">Rows of the target.</param>
    /// <param name="tolerance">Largest allowed absolute difference of two numbers.</param>
    public static RuleComparison Of(IReadOnlyList<IReadOnlyList<string?>> source, IReadOnlyList<IReadOnlyList<string?>> target, decimal tolerance)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        var (here, there) = (Short(source), Short(target));
        if (source.Count != target.Count)
        {
            return new RuleComparison(false, $"{source.Count} rows and {target.Count} rows", here, there);
        }

        var allowed = RuleNumber.Of(tolerance.ToString(CultureInfo.InvariantCulture))!.Value;
        RuleNumber? largest = null;
        foreach (var (left, right) in source.Order(RowOrder.Instance).Zip(target.Order(RowOrder.Instance)))
        {
            if (left.Count != right.Count)
            {
                return new RuleComparison(false, $"{left.Count} columns and {right.Count} columns", here, there);
            }

            for (var i = 0; i < left.Count; i++)
            {
                if (RuleNumber.Of(left[i]) is { } one && RuleNumber.Of(right[i]) is { } other)
                {
                    var distance = one.DistanceTo(other);
                    largest = largest is { } known && distance.IsAtMost(known) ? known : distance;
                }
                else if (left[i] != right[i])
                {
                    return new RuleComparison(false, left[i] is null || right[i] is null ? "NULL on one side" : "other text", here, there);
                }
            }
        }

        return new RuleComparison(largest?.IsAtMost(allowed) != false, largest is { Digits.IsZero: false } ? largest.ToString() : null, here, there);
    }

    /// <summary>One value as it is; of more, only how many rows there are: a report is no place for rows.</summary>
    private static string Short(IReadOnlyList<IReadOnlyList<string?>> rows) => rows switch
    {
        [[var only]] => only is null ? "NULL" : only.Length > 60 ? $"{only[..60]}…" : only,
        _ => $"{rows.Count} rows",
    };

    private sealed class RowOrder : IComparer<IReadOnlyList<string?>>
    {
        public static readonly RowOrder Instance = new();

        public int Compare(IReadOnlyList<string?>? x, IReadOnlyList<string?>? y)
        {
            // What is no number first, so that a number within the tolerance does not change which rows are paired.
            var words = string.CompareOrdinal(Words(x!), Words(y!));
            if (words != 0)
            {
                return words;
            }

            for (var i = 0; i < Math.Min(x!.Count, y!.Count); i++)
            {
                if (RuleNumber.Of(x[i]) is { } one && RuleNumber.Of(y[i]) is { } other && one != other)
                {
                    var smaller = one.IsAtMost(other);
                    if (!smaller || !other.IsAtMost(one))
                    {
                        return smaller ? -1 : 1;
                    }
                }
            }

            return 0;
        }

        private static string Words(IReadOnlyList<string?> row) => string.Join('\u001f', row.Select(value => value is null ? "\u0000" : RuleNumber.Of(value) is null ? value : ""));
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Service.Repairing;

/// <summary>A table's rows that are known to be wrong, in an order that stays the same while some of them are repaired. Pure.</summary>
internal sealed class WrongRows
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly IReadOnlyList<string> columns;

    /// <summary>Those of a table's state.</summary>
    public WrongRows(TableState state)
    {
        columns = state.KeyColumns;
        Keys = [.. state.Wrong.Keys.Order(Comparer<RowKey>.Create((left, right) => Compare(left.Values, right.Values)))];
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<RowKey> Keys { get; }

    /// <summary>Those that lie behind a key.</summary>
    public IEnumerable<RowKey> After(IReadOnlyList<string>? key) => key is null ? Keys : Keys.Where(row => Compare(row.Values, key) > 0);

    /// <summary>The rows a text names: as comparisons list them (<c>id=7</c>, or as JSON), or the values alone joined by commas.</summary>
    public IReadOnlyList<RowKey> Named(string text)
    {
        var asked = text.Trim();
        return [.. Keys.Where(key => Spellings(key).Contains(asked, StringComparer.Ordinal))];
    }

    /// <summary>Key column to its text.</summary>
    public IReadOnlyDictionary<string, string> Describe(RowKey key) => columns.Count == key.Values.Count
        ? columns.Zip(key.Values).ToDictionary(pair => pair.First, pair => pair.Second)
        : new Dictionary<string, string> { ["row"] = key.ToString() };

    private IEnumerable<string> Spellings(RowKey key)
    {
        var named = Describe(key);
        yield return string.Join(", ", named.Select(column => $"{column.Key}={column.Value}"));
        yield return string.Join(",", named.Select(column => $"{column.Key}={column.Value}"));
        yield return JsonSerializer.Serialize(named, Plain);
        yield return string.Join(",", key.Values);
        yield return string.Join(", ", key.Values);
    }

    private static int Compare(IReadOnlyList<string> left, IReadOnlyList<string> right)
    {
        for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (string.CompareOrdinal(left[i], right[i]) is not 0 and var order)
            {
                return order;
            }
        }

        return left.Count.CompareTo(right.Count);
    }
}

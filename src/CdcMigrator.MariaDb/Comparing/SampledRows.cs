using CdcMigrator.Domain.Comparing;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>
/// Picks a sample out of the rows drawn: some at random, and of each column those with the longest values, the least and the greatest one, and one of each sort of edge.
/// It keeps keys and what they are measured by, never a value. Not thread-safe.
/// </summary>
/// <param name="columns">How many columns are looked at.</param>
internal sealed class SampledRows(int columns)
{
    private const int LongestRows = 3;

    /// <summary>What is selected of each column: size, order, edge.</summary>
    public const int Measures = 3;

    private readonly List<RowKey> drawn = [];
    private readonly PriorityQueue<RowKey, long>[] longest = [.. Enumerable.Range(0, columns).Select(_ => new PriorityQueue<RowKey, long>())];
    private readonly (double Value, RowKey Key)?[] least = new (double, RowKey)?[columns];
    private readonly (double Value, RowKey Key)?[] greatest = new (double, RowKey)?[columns];
    private readonly Dictionary<(int Column, int Edge), RowKey> edges = [];

    /// <summary>Adds a row.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="reader">The row, whose measures stand behind <paramref name="first"/> columns.</param>
    /// <param name="first">Where the measures begin.</param>
    public void Add(RowKey key, MySqlDataReader reader, int first)
    {
        drawn.Add(key);
        for (var column = 0; column < columns; column++)
        {
            var at = first + (column * Measures);
            if (!reader.IsDBNull(at))
            {
                longest[column].Enqueue(key, reader.GetInt64(at));
                if (longest[column].Count > LongestRows)
                {
                    longest[column].Dequeue();
                }
            }

            if (!reader.IsDBNull(at + 1))
            {
                var value = reader.GetDouble(at + 1);
                least[column] = least[column] is { } low && low.Value <= value ? low : (value, key);
                greatest[column] = greatest[column] is { } high && high.Value >= value ? high : (value, key);
            }

            if (!reader.IsDBNull(at + 2))
            {
                edges.TryAdd((column, reader.GetInt32(at + 2)), key);
            }
        }
    }

    /// <summary>The sample.</summary>
    /// <param name="rows">Rows wanted at random.</param>
    public IEnumerable<SampledKey> Pick(int rows)
    {
        Random.Shared.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(drawn));
        return drawn.Take(rows).Select(key => new SampledKey(SampleStratum.Random, key))
            .Concat(longest.SelectMany(queue => queue.UnorderedItems).Select(item => new SampledKey(SampleStratum.LongestValues, item.Element)))
            .Concat(least.Concat(greatest).OfType<(double, RowKey Key)>().Select(extreme => new SampledKey(SampleStratum.EdgeValues, extreme.Key)))
            .Concat(edges.Values.Select(key => new SampledKey(SampleStratum.EdgeValues, key)));
    }
}

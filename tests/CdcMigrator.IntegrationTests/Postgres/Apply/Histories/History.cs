namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>A table's log and what its source is at the end.</summary>
/// <param name="Lanes">Records of each lane in offset order.</param>
/// <param name="Rows">The source's rows by key; empty for a keyless table, which cannot be read by key.</param>
/// <param name="Expected">The rows as sorted text.</param>
internal sealed record History(IReadOnlyList<List<HistoryRecord>> Lanes, Dictionary<string, string?[]> Rows, IReadOnlyList<string> Expected)
{
    /// <summary>Where the lane must halt, because nobody can tell repeats from there on; null where it must not. <see cref="Expected"/> is what is in the target then.</summary>
    public long? HaltsAt { get; init; }

    /// <summary>Rows as the target is read.</summary>
    public static IReadOnlyList<string> Lines(IEnumerable<string?[]> rows) =>
        [.. rows.Select(row => string.Join('|', row.Select(value => value ?? "∅"))).Order(StringComparer.Ordinal)];
}

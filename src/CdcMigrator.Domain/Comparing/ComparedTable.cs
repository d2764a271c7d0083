using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Comparing;

/// <summary>A table as it is compared: names, columns in the order they are hashed, key. Both sides must be read by the same one.</summary>
public sealed record ComparedTable
{
    /// <summary>Name in the source.</summary>
    public required TableName Source { get; init; }

    /// <summary>Name in the target.</summary>
    public required TableName Target { get; init; }

    /// <summary>Columns compared, in hashing order.</summary>
    public required IReadOnlyList<ComparedColumn> Columns { get; init; }

    /// <summary>Which of <see cref="Columns"/> are the key, in the key's order; none for a table without a key.</summary>
    public required IReadOnlyList<int> Key { get; init; }

    /// <summary>How it is divided.</summary>
    public ChunkOrder Order { get; init; }

    /// <summary>Where its rows are hashed.</summary>
    public HashPlace Hashing { get; init; }

    /// <summary>Rows the planner expects in the source; for progress only.</summary>
    public long EstimatedRows { get; init; }

    /// <summary>Columns of either side that are not compared (left out in the file, generated), by name.</summary>
    public IReadOnlyList<string> NotCompared { get; init; } = [];

    /// <summary>Why the table cannot be compared exactly; null where it can.</summary>
    public string? Unverifiable { get; init; }

    /// <summary>Rows are told apart by all of their columns only.</summary>
    public bool IsKeyless => Key.Count == 0;

    /// <summary>
    /// Whether counting its rows sums the hashes of their keys too. Keys that have to travel to be hashed are not summed of very many rows: a snapshot would be held for minutes.
    /// </summary>
    public bool SumsKeys => !IsKeyless && (Hashing == HashPlace.Database || EstimatedRows <= MostKeysHashedHere);

    /// <summary>The table with its key's columns alone, so that a row of it is a key.</summary>
    public ComparedTable OfKey => this with { Columns = [.. Key.Select(ordinal => Columns[ordinal])], Key = [.. Enumerable.Range(0, Key.Count)] };

    /// <summary>Most rows whose keys are summed where they are hashed here.</summary>
    public const long MostKeysHashedHere = 20_000_000;
}

using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>Rows of one side as they are read; equal ones of a table without a key become one.</summary>
/// <param name="table">The table.</param>
public sealed class RowHashes(ComparedTable table)
{
    private readonly List<RowHash> rows = [];
    private readonly Dictionary<long, int> places = [];

    /// <summary>Adds a row.</summary>
    public void Add(RowKey key, long hash, long copies = 1)
    {
        if (table.IsKeyless && !places.TryAdd(hash, rows.Count))
        {
            var place = places[hash];
            rows[place] = rows[place] with { Copies = rows[place].Copies + copies };
            return;
        }

        rows.Add(new RowHash(key, hash, copies));
    }

    /// <summary>All rows added.</summary>
    public IReadOnlyList<RowHash> ToList() => rows;

    /// <summary>How many rows some are, and the sum of their hashes.</summary>
    public static ChunkDigest Sum(IReadOnlyList<RowHash> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return rows.Aggregate(default(ChunkDigest), (digest, row) => new ChunkDigest(digest.Rows + row.Copies, digest.Sum + ((Int128)row.Hash * row.Copies)));
    }
}

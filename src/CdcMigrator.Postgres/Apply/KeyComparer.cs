using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Compares changes of one table, given by index, by the bytes of their keys. No allocation a row.</summary>
internal sealed class KeyComparer(ChangeBatch batch, IReadOnlyList<int> keyColumns) : IEqualityComparer<int>
{
    public bool Equals(int x, int y)
    {
        if (x == y)
        {
            return true;
        }

        var left = batch.Slots(batch.Changes[x]);
        var right = batch.Slots(batch.Changes[y]);
        foreach (var column in keyColumns)
        {
            if (!batch.Value(left[column]).SequenceEqual(batch.Value(right[column])))
            {
                return false;
            }
        }

        return true;
    }

    public int GetHashCode(int obj)
    {
        var slots = batch.Slots(batch.Changes[obj]);
        var hash = default(HashCode);
        foreach (var column in keyColumns)
        {
            hash.Add(slots[column].Length);
            hash.AddBytes(batch.Value(slots[column]));
        }

        return hash.ToHashCode();
    }
}

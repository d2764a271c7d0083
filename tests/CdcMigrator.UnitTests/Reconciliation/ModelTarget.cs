namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>The target of the model as an applier without a fault leaves it: lanes, unique values handed over, values read from the source, dead letters, truncates across lanes.</summary>
/// <param name="isUnique">Whether no two rows may have the same value.</param>
/// <param name="lanes">How many lanes there are.</param>
/// <param name="ask">The source's rows in a snapshot that sees every transaction the log holds.</param>
internal sealed class ModelTarget(bool isUnique, int lanes, Func<SortedDictionary<string, string>> ask)
{
    private readonly Dictionary<string, List<ModelWrite>> letters = [];
    private uint truncated;

    /// <summary>The rows.</summary>
    public SortedDictionary<string, string> Rows { get; } = new(StringComparer.Ordinal);

    /// <summary>Rows with dead letters.</summary>
    public IReadOnlyCollection<string> Parked => letters.Keys;

    /// <summary>Applies a record, or parks it.</summary>
    /// <returns>False where the lane has to stand.</returns>
    public bool Apply(ModelWrite write)
    {
        if (write.Key is null)
        {
            if (letters.Count > 0)
            {
                return false;
            }

            truncated = write.Transaction;
            var left = lanes == 1 ? [] : ask();
            foreach (var key in Rows.Keys.Where(key => !left.ContainsKey(key)).ToList())
            {
                Rows.Remove(key);
            }
        }
        else if (!write.IsRead && write.Transaction < truncated)
        {
            // It precedes a truncate that another lane brought.
        }
        else if (letters.TryGetValue(write.Key, out var waiting))
        {
            waiting.Add(write);
        }
        else if (write.IsBad)
        {
            letters[write.Key] = [write];
        }
        else
        {
            Write(write);
        }

        return true;
    }

    /// <summary>Applies what all dead letters of a row come to.</summary>
    public void Retry(string key)
    {
        letters.Remove(key, out var waiting);
        Write(waiting![^1]);
    }

    /// <summary>Gives up one dead letter of a row.</summary>
    public void Discard(string key, int choice)
    {
        var waiting = letters[key];
        waiting.RemoveAt(choice % waiting.Count);
        if (waiting.Count == 0)
        {
            letters.Remove(key);
        }
    }

    private void Write(ModelWrite write)
    {
        var (key, value) = (write.Key!, write.Value);
        if (value is not null && (write.LacksValue || (write.IsRead && truncated > 0)))
        {
            value = ask().GetValueOrDefault(key);
            if (value is null)
            {
                // Its delete follows.
                return;
            }
        }

        if (value is not null && isUnique && Holders(key, value) is { Count: > 0 } holders)
        {
            var source = ask();
            if (holders.Exists(holder => source.GetValueOrDefault(holder) == value))
            {
                // A newer row has it: so has this one changed since.
                value = source.GetValueOrDefault(key);
            }

            // Each is written again by its own change, which is still to come.
            (value is null ? [] : Holders(key, value)).ForEach(holder => Rows.Remove(holder));
        }

        if (value is null)
        {
            Rows.Remove(key);
        }
        else
        {
            Rows[key] = value;
        }
    }

    private List<string> Holders(string key, string value) => [.. Rows.Where(row => row.Value == value && row.Key != key).Select(row => row.Key)];
}

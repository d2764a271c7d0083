namespace CdcMigrator.Domain.Comparing;

/// <summary>
/// A row's key as the text PostgreSQL prints of its columns (pinned session settings), each in its <see cref="ComparedColumn.Form"/>, in the key's order.
/// Equal exactly if all columns are.
/// </summary>
public sealed class RowKey : IEquatable<RowKey>
{
    private readonly string[] values;

    /// <summary>Makes a key of its columns' texts; the array is not copied.</summary>
    public RowKey(params string[] values) => this.values = values;

    /// <summary>Text of each key column.</summary>
    public IReadOnlyList<string> Values => values;

    /// <inheritdoc />
    public bool Equals(RowKey? other) => other is not null && values.AsSpan().SequenceEqual(other.values);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as RowKey);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var value in values)
        {
            hash.Add(value, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc />
    public override string ToString() => string.Join(", ", values);
}

namespace CdcMigrator.Domain.Changes;

/// <summary>Where a column's value lies in its batch's buffer.</summary>
/// <param name="State">What the event says about the column.</param>
/// <param name="Start">First byte in the buffer; meaningless unless <paramref name="State"/> is <see cref="ColumnState.Value"/>.</param>
/// <param name="Length">Length in bytes; 0 is an empty string.</param>
public readonly record struct ValueSlot(ColumnState State, int Start, int Length)
{
    /// <summary>
    /// The column is <see cref="ColumnState.Unavailable"/> because the event cannot carry its value faithfully, not because it is unchanged:
    /// it may have changed, so it is reselected by key always, also where the target has the row.
    /// </summary>
    public bool MustReselect => State == ColumnState.Unavailable && Length < 0;

    /// <summary>A slot with <see cref="MustReselect"/>.</summary>
    public static ValueSlot Unfaithful => new(ColumnState.Unavailable, 0, -1);
}

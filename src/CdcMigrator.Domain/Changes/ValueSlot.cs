namespace CdcMigrator.Domain.Changes;

/// <summary>Where a column's value lies in its batch's buffer.</summary>
/// <param name="State">What the event says about the column.</param>
/// <param name="Start">First byte in the buffer; meaningless unless <paramref name="State"/> is <see cref="ColumnState.Value"/>.</param>
/// <param name="Length">Length in bytes; 0 is an empty string.</param>
public readonly record struct ValueSlot(ColumnState State, int Start, int Length);

using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Reading;

/// <summary>What was read of one record.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Change">
/// For <see cref="RecordKind.Change"/> and <see cref="RecordKind.Marker"/>. Where the record does not say its transaction, or could not be read, it is marked as a read row,
/// of which too only the place in the log tells whether a snapshot has it.
/// </param>
/// <param name="Marker">Id of the fence table's row, for <see cref="RecordKind.Marker"/>.</param>
/// <param name="SchemaId">Schema to load, for <see cref="RecordKind.NeedsSchema"/>.</param>
/// <param name="Doubt">
/// Why a change is said to be of all rows though it may be of one, or why a record cannot be read; null where nothing is in doubt. Names no values.
/// </param>
public readonly record struct RecordReading(RecordKind Kind, ObservedChange Change = default, string? Marker = null, int SchemaId = 0, string? Doubt = null);

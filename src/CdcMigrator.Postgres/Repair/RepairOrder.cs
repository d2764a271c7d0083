using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Repair;

/// <summary>A table whose wrong rows are to be repaired.</summary>
/// <param name="Topic">Topic of its changes, whose lanes write it.</param>
/// <param name="Route">How rows are written.</param>
/// <param name="Table">How rows were compared: what keys mean, and which columns are moved.</param>
/// <param name="Wrong">All of its rows that are known to be wrong: a repair may need another one of them to go first.</param>
/// <param name="Actor">Who asks, for the journal.</param>
/// <param name="DryRun">Does everything and rolls it back.</param>
public sealed record RepairOrder(
    string Topic, TableRoute Route, ComparedTable Table, IReadOnlyDictionary<RowKey, RowMismatch> Wrong, string Actor, bool DryRun);

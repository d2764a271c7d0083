using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Service.Api;

/// <summary>A column in <see cref="DeadLetterDetail"/>.</summary>
/// <param name="Name">Name in the source.</param>
/// <param name="State">Whether the record carries it. <see cref="ColumnState.Unavailable"/>: it is read from the source when it is needed.</param>
/// <param name="Value">Its value as PostgreSQL's text; null where it is NULL or not carried.</param>
public sealed record DeadLetterColumn(string Name, ColumnState State, string? Value);

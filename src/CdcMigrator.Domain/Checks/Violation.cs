using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Domain.Checks;

/// <summary>A row of the target that breaks a constraint.</summary>
/// <param name="Key">The row; null where its table has no key.</param>
/// <param name="Parent">The row it refers to and that is not there; null where it refers to none, or the parent's rows are told apart by other columns.</param>
public sealed record Violation(RowKey? Key, RowKey? Parent);

namespace CdcMigrator.Domain.Comparing;

/// <summary>One row: its key and the hash of all its compared columns, the key's included.</summary>
/// <param name="Key">The key; for a table without one, the row's hash as text.</param>
/// <param name="Hash">64-bit hash of the canonical row.</param>
/// <param name="Copies">Rows like this: more than one only in a table without a key.</param>
public readonly record struct RowHash(RowKey Key, long Hash, long Copies = 1);

namespace CdcMigrator.Postgres.Apply;

/// <summary>A row's key is taken by another row whose key is equal to it in another spelling: to be treated as a unique violation.</summary>
internal sealed class RowConflictException(string message) : Exception(message);

namespace CdcMigrator.Domain.Log;

/// <summary>One header of a record. <paramref name="Value"/> is null where the producer wrote none.</summary>
public readonly record struct LogHeader(string Key, byte[]? Value);

namespace CdcMigrator.TestKit.Kafka;

/// <summary>A change as the fake target committed it.</summary>
public sealed record AppliedChange(long Offset, string Value, long Epoch);

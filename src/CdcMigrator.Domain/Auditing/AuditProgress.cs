namespace CdcMigrator.Domain.Auditing;

/// <summary>One part of an audit is done.</summary>
/// <param name="What">The table, or what else was looked at.</param>
/// <param name="Done">Tables done.</param>
/// <param name="Of">Tables in all.</param>
/// <param name="Rows">Rows read of the table; null where it was not read.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record AuditProgress(string What, int Done, int Of, long? Rows, double Seconds);

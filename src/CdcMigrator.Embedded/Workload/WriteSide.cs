namespace CdcMigrator.Embedded.Workload;

/// <summary>A database the workload writes to.</summary>
/// <param name="Name">Name in the ledger, for instance <c>source</c>.</param>
/// <param name="ConnectionString">Npgsql connection string.</param>
public sealed record WriteSide(string Name, string ConnectionString);

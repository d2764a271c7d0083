using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Drift;

/// <summary>What one look at both catalogs found.</summary>
/// <param name="Findings">What does not fit, each with the statement that mends it; errors first.</param>
/// <param name="Halted">Tables of which no event may be written until that is mended, and why.</param>
public sealed record SchemaState(IReadOnlyList<Finding> Findings, IReadOnlyDictionary<TableName, Fault> Halted);

using CdcMigrator.Postgres.Digests;

namespace CdcMigrator.Cli.Demo;

/// <summary>A row that differs between the sides.</summary>
/// <param name="Table">Source table.</param>
/// <param name="Key">Its key, by column.</param>
/// <param name="Kind">Missing in the target, extra there, or different.</param>
/// <param name="Columns">Columns that differ.</param>
internal sealed record DemoMismatch(string Table, IReadOnlyDictionary<string, string?> Key, DifferenceKind Kind, IReadOnlyList<string> Columns);

namespace CdcMigrator.Service.Api;

/// <summary>A wrong row.</summary>
/// <param name="Key">Key column to its text, by source names.</param>
/// <param name="Kind"><c>missing</c>, <c>extra</c> or <c>different</c>.</param>
/// <param name="Columns">Source names of the columns that differ; empty for a row that is on one side only.</param>
/// <param name="Unlogged">It was equal before, and no change of it was read since: somebody wrote to the target, or a change never reached the log.</param>
public sealed record VerifyMismatch(IReadOnlyDictionary<string, string> Key, string Kind, IReadOnlyList<string> Columns, bool Unlogged = false);

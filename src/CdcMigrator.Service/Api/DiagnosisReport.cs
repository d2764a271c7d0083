namespace CdcMigrator.Service.Api;

/// <summary>Answer of <c>cdcm diagnose -o json</c>.</summary>
/// <param name="Migration">Name of the migration.</param>
/// <param name="Ok">No entry is an error or a warning.</param>
/// <param name="Source">The source, as its row says; null where it has none or does not answer.</param>
/// <param name="Target">The target.</param>
/// <param name="Entries">What was found, errors first.</param>
public sealed record DiagnosisReport(string Migration, bool Ok, CutoverSide? Source, CutoverSide? Target, IReadOnlyList<DiagnosisEntry> Entries);

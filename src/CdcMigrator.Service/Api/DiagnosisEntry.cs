namespace CdcMigrator.Service.Api;

/// <summary>Something that waits, or is not as it must be, in <see cref="DiagnosisReport"/>.</summary>
/// <param name="Severity">error, warning or info.</param>
/// <param name="Code">Stable name.</param>
/// <param name="Waits">Who waits, or what is wrong.</param>
/// <param name="For">For whom, or why; empty where the first says it all.</param>
/// <param name="Fix">The command that helps; empty where it passes by itself.</param>
public sealed record DiagnosisEntry(string Severity, string Code, string Waits, string For, string Fix);

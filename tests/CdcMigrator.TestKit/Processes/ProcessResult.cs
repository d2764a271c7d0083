namespace CdcMigrator.TestKit.Processes;

/// <summary>How a process ended and what it wrote.</summary>
public sealed record ProcessResult(int ExitCode, string Output, string Error);

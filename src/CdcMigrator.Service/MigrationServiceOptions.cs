namespace CdcMigrator.Service;

/// <summary>How a service process presents itself; what it does is in the migration file.</summary>
public sealed record MigrationServiceOptions
{
    /// <summary>How log lines look on standard error.</summary>
    public LogStyle Logs { get; init; } = LogStyle.Json;

    /// <summary>Also log what happens a batch at a time.</summary>
    public bool Verbose { get; init; }

    /// <summary>Clock and timers.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

namespace CdcMigrator.Connect.Rest;

/// <summary>What Connect says of one connector. Not the whole truth: a connector may say RUNNING while it retries for ever.</summary>
/// <param name="Name">Name of the connector.</param>
/// <param name="State">RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED or RESTARTING.</param>
/// <param name="Worker">Worker it runs on, host:port.</param>
/// <param name="Tasks">Its tasks; Debezium's sources have one.</param>
public sealed record ConnectorStatus(string Name, string State, string Worker, IReadOnlyList<ConnectorTask> Tasks)
{
    /// <summary>Stack trace of a failed connector; empty otherwise.</summary>
    public string Trace { get; init; } = "";

    /// <summary>Connector and at least one task run, and no task does not.</summary>
    public bool IsRunning => State == "RUNNING" && Tasks.Count > 0 && Tasks.All(task => task.State == "RUNNING");

    /// <summary>The connector or a task of it has failed: Connect leaves it so until it is restarted.</summary>
    public bool HasFailed => State == ConnectorTask.Failed || Tasks.Any(task => task.HasFailed);

    /// <summary>Why it does not run: the innermost cause of the first failure; empty where nothing failed.</summary>
    public string Cause => Trace.Length > 0
        ? ConnectorTask.InnermostCause(Trace)
        : Tasks.Select(task => task.Cause).FirstOrDefault(cause => cause.Length > 0) ?? "";
}

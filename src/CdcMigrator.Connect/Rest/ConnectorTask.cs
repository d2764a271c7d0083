namespace CdcMigrator.Connect.Rest;

/// <summary>One task of a connector.</summary>
/// <param name="Id">Number from 0.</param>
/// <param name="State">RUNNING, PAUSED, FAILED, UNASSIGNED or RESTARTING.</param>
/// <param name="Worker">Worker it runs on, host:port.</param>
/// <param name="Trace">Stack trace of a failed task; empty otherwise.</param>
public sealed record ConnectorTask(int Id, string State, string Worker, string Trace)
{
    internal const string Failed = "FAILED";

    /// <summary>Connect has given it up.</summary>
    public bool HasFailed => State == Failed;

    /// <summary>The innermost cause in <see cref="Trace"/>, one line; empty where there is no trace.</summary>
    public string Cause => InnermostCause(Trace);

    internal static string InnermostCause(string trace)
    {
        const string Marker = "Caused by: ";
        var lines = trace.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var cause = lines.LastOrDefault(line => line.StartsWith(Marker, StringComparison.Ordinal));
        return cause is not null ? cause[Marker.Length..] : lines.FirstOrDefault() ?? "";
    }
}

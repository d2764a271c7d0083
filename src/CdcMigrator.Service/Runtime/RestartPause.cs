using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Service.Runtime;

/// <summary>How long a direction that has ended by a fault waits before it begins again. Pure.</summary>
internal static class RestartPause
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>What a person has to see to is looked at again every so often, so that it goes on once that was done.</summary>
    private static readonly TimeSpan ForPerson = TimeSpan.FromMinutes(1);

    /// <param name="kind">What the fault asks for.</param>
    /// <param name="attempt">How often it has ended so in a row, from 1.</param>
    public static TimeSpan After(FaultKind kind, int attempt) => kind is FaultKind.Unreachable or FaultKind.Transient or FaultKind.TimedOut or FaultKind.Fenced
        ? TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, Math.Min(attempt, 10) - 1)))
        : ForPerson;
}

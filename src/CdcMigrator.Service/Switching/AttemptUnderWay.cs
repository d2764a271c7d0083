using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Service.Switching;

/// <summary>What is said to a second operator while an attempt, in whichever process, has closed the side that his would leave.</summary>
internal static class AttemptUnderWay
{
    /// <summary>Refuses another attempt beside it.</summary>
    /// <param name="left">The row of the side that would be left.</param>
    /// <param name="side">Its name, <c>source</c> or <c>target</c>.</param>
    /// <exception cref="FaultException">NotAllowed <c>attempt-running</c>.</exception>
    public static void Refuse(FenceRecord left, string side)
    {
        if (left.State == FenceState.Closed)
        {
            throw new FaultException(
                FaultKind.NotAllowed, "attempt-running", $"Attempt {left.Token} is under way: it has closed the {side}, and holds it for {Durations.Format(TimeSpan.FromSeconds(Math.Max(0, Math.Ceiling(left.LeaseLeft.TotalSeconds))))} unless it renews that",
                "'cdcm cutover status' shows both sides, 'cdcm cutover abort' calls it off, through any process; one whose process is gone is undone when its time is over");
        }
    }
}

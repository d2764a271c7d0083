using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;

namespace CdcMigrator.Service.Switching;

/// <summary>What is said of a side that was left without a way back to it: what the other one commits is in no log that is applied there, so that no attempt can lead there.</summary>
internal static class NoWayBack
{
    /// <summary>Code of what is refused.</summary>
    public const string Code = "no-way-back";

    /// <param name="side"><c>source</c> or <c>target</c>: the one that was left.</param>
    public static string What(string side) => side == "source"
        ? "The source was left without a way back: what applications write to the target does not reach it"
        : "The target was left without a way to it: what applications write to the source does not reach it";

    /// <param name="side"><c>source</c> or <c>target</c>.</param>
    public static string Fix(string side) => side == "source"
        ? "'cdcm cutover complete' ends this migration. Going back is another one, from the target, with a name of its own ('Starting over' in docs/cli.md)"
        : "Going over again is another migration, with a name of its own, that copies the tables anew ('Starting over' in docs/cli.md)";

    /// <summary>Refuses an attempt that would lead to such a side.</summary>
    /// <param name="taking">Its row.</param>
    /// <param name="side"><c>source</c> or <c>target</c>.</param>
    /// <exception cref="FaultException">NotAllowed <c>no-way-back</c>.</exception>
    public static void Refuse(FenceRecord taking, string side)
    {
        if (taking.NoReturn)
        {
            throw new FaultException(FaultKind.NotAllowed, Code, What(side), Fix(side));
        }
    }
}

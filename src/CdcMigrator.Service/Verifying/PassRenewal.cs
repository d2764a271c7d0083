using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Service.Verifying;

/// <summary>
/// When every row is compared again by itself, so that the gate does not grow stale. Pure. A pass is begun at half of the time for which one counts, or earlier where the last one took so long that the next
/// would end too late; one that brought nothing is repeated after an eighth of it.
/// </summary>
internal static class PassRenewal
{
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    /// <param name="states">What is known of every table.</param>
    /// <param name="last">The last pass that was asked for, by whomever; null where there was none.</param>
    /// <param name="within">For how long a pass counts.</param>
    /// <param name="reader">Since when the source is read without a break: a pass that began before counts no more. Null where nothing depends on it.</param>
    /// <param name="now">The time.</param>
    public static bool IsDue(IReadOnlyCollection<TableState> states, VerificationRun? last, TimeSpan within, DateTimeOffset? reader, DateTimeOffset now)
    {
        if (states.Count == 0 || last is { IsRunning: true })
        {
            return false;
        }

        if (IsOvertaken(states, last, reader, now))
        {
            return true;
        }

        // What is known of a table is as of the beginning of its pass.
        var covered = states.All(state => state is { Covered: true, CoveredAt: not null } && !(state.CoveredAt < reader));
        var since = covered ? states.Min(state => state.CoveredAt!.Value) : DateTimeOffset.MinValue;
        if (last is { FinishedAt: { } ended })
        {
            var took = ended - last.RequestedAt;
            return since < last.RequestedAt ? now - ended >= within / 8 && (!covered || now - since >= within / 2) : now - since >= within / 2 || now - since + (2 * took) >= within;
        }

        return !covered || now - since >= within / 2;
    }

    /// <summary>
    /// Whether every row is to be compared again because the source is read anew since a pass began: at once where none was asked for since, and after a minute where one was that did not cover every
    /// table, unless a person stopped it.
    /// </summary>
    public static bool IsOvertaken(IReadOnlyCollection<TableState> states, VerificationRun? last, DateTimeOffset? reader, DateTimeOffset now) =>
        states.Any(state => state.CoveredAt < reader)
        && (last is null || (!last.IsRunning && (last.RequestedAt < reader || (last.State != "stopped" && now - last.FinishedAt >= Again))));
}

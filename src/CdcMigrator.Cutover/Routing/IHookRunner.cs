using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Cutover.Routing;

/// <summary>Runs single hooks. Failures are answers, not exceptions.</summary>
public interface IHookRunner
{
    /// <summary>
    /// Runs a hook until it ends or its time is over; then nothing that was begun here goes on. Called again for the same moment where it is not known how
    /// the last call ended.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller gave up. What was begun was ended.</exception>
    Task<HookRun> RunAsync(RoutingHook hook, HookMoment moment, HookContext context, CancellationToken cancellationToken);

    /// <summary>What can be known to be wrong without running the hook; null where nothing is. Changes nothing.</summary>
    Task<Fault?> CheckAsync(RoutingHook hook, CancellationToken cancellationToken);
}

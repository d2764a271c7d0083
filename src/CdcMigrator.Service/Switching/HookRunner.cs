using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Routing;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Service.Switching;

/// <summary>Runs hooks: programs, HTTP requests, PgBouncers. Thread-safe.</summary>
internal sealed class HookRunner : IHookRunner, IDisposable
{
    private readonly HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <inheritdoc />
    public Task<HookRun> RunAsync(RoutingHook hook, HookMoment moment, HookContext context, CancellationToken cancellationToken) => hook switch
    {
        CommandHook command => CommandRun.RunAsync(command, moment, context, cancellationToken),
        HttpHook http => HttpRun.RunAsync(client, http, moment, context, cancellationToken),
        PgBouncerHook bouncer => RunAsync(bouncer, moment, context, cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(hook), hook, null),
    };

    /// <inheritdoc />
    public async Task<Fault?> CheckAsync(RoutingHook hook, CancellationToken cancellationToken)
    {
        switch (hook)
        {
            case CommandHook { Arguments: [{ } program, ..] } when CommandRun.Find(program.Value) is null:
                return new Fault(
                    FaultKind.Configuration, "hook-not-started", $"Hook '{hook.Name}': there is no program {program.Shown} that may be run here", "Correct cutover.route, or install it on every machine that runs the service");
            case PgBouncerHook bouncer:
                using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
                {
                    limit.CancelAfter(hook.Timeout);
                    try
                    {
                        return await new PgBouncerRoute(bouncer.Connection.Value, bouncer.Databases).CheckAsync(limit.Token);
                    }
                    catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                    {
                        return new Fault(FaultKind.Unreachable, "pgbouncer-unreachable", $"Hook '{hook.Name}': PgBouncer does not answer within {Durations.Format(hook.Timeout)}", "See whether it runs");
                    }
                }

            default:
                return null;
        }
    }

    /// <inheritdoc />
    public void Dispose() => client.Dispose();

    private static async Task<HookRun> RunAsync(PgBouncerHook hook, HookMoment moment, HookContext context, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(hook.Timeout);
        var route = new PgBouncerRoute(hook.Connection.Value, hook.Databases);
        try
        {
            var output = await (moment switch
            {
                HookMoment.BeforeFence => route.PauseAsync(limit.Token),
                HookMoment.AfterOpen => route.SwitchAsync(context.From.Host, context.From.Port, context.From.Database, limit.Token),
                _ => route.ResumeAsync(limit.Token),
            });
            return new HookRun(null, "done", output);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var waited = moment == HookMoment.BeforeFence ? "transactions in progress did not end" : "no answer";
            return new HookRun("hook-timeout", $"{waited} within {Durations.Format(hook.Timeout)}", "");
        }
        catch (FaultException exception)
        {
            return new HookRun(exception.Fault.Code == "pgbouncer-unreachable" ? "hook-unreachable" : "hook-failed", exception.Fault.ToString(), "");
        }
    }
}

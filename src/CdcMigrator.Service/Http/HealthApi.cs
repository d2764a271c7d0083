using CdcMigrator.Domain.Status;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Runtime;
using Npgsql;

namespace CdcMigrator.Service.Http;

/// <summary>
/// Live: the poll loop turns, whatever the dependencies do, so that a database that is down restarts nobody. Ready: the lanes are claimed
/// and the target answers. Startup: the start has nothing more to wait for.
/// </summary>
internal static class HealthApi
{
    private static readonly TimeSpan PollLoopStuck = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(3);

    public static void Map(IEndpointRouteBuilder routes, MigrationRuntime runtime, NpgsqlDataSource target, TimeProvider time)
    {
        routes.MapGet("/healthz/live", context => AnswerAsync(context, Live(runtime.Status().Pipeline, time.GetUtcNow())));
        routes.MapGet("/healthz/startup", context => AnswerAsync(context, Startup(runtime.Status())));
        routes.MapGet("/healthz/ready", async context => await AnswerAsync(context, await ReadyAsync(runtime.Status(), target, context.RequestAborted)));
    }

    internal static HealthReport Live(PipelineStatus? pipeline, DateTimeOffset now)
    {
        if (pipeline is null || pipeline.LastPollAt == default)
        {
            return new HealthReport(true, "the poll loop has not started yet");
        }

        var age = now - pipeline.LastPollAt;
        return new HealthReport(age < PollLoopStuck, $"the poll loop turned {Math.Max(0, age.TotalSeconds):0.0} s ago");
    }

    internal static HealthReport Startup(RuntimeStatus status) => status.Phase == RuntimePhase.Starting
        ? new HealthReport(false, status.Faults.Count > 0 ? $"waiting: {status.Faults[0]}" : "starting")
        : new HealthReport(true, "started");

    private static async Task<HealthReport> ReadyAsync(RuntimeStatus status, NpgsqlDataSource target, CancellationToken cancellationToken)
    {
        if (!status.Ready)
        {
            return new HealthReport(false, status switch
            {
                { Phase: RuntimePhase.Starting } => Startup(status).Detail,
                { Phase: RuntimePhase.Completed } => "the migration is completed",
                { Phase: not RuntimePhase.Running } => "stopping",
                { Pipeline.Fault: { } fault } => fault.ToString(),
                _ => "lanes are being claimed",
            });
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ProbeTimeout);
        try
        {
            await using var command = target.CreateCommand("select 1");
            await command.ExecuteScalarAsync(limit.Token);
            return new HealthReport(true, $"{status.Pipeline!.Lanes.Count} lanes claimed, target answers");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return new HealthReport(
                false, exception is OperationCanceledException ? $"the target does not answer within {ProbeTimeout.TotalSeconds:0} s" : PostgresFaults.Classify(exception).ToString());
        }
    }

    private static Task AnswerAsync(HttpContext context, HealthReport report)
    {
        context.Response.StatusCode = report.Ok ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(report, ApiJson.Options, context.RequestAborted);
    }
}

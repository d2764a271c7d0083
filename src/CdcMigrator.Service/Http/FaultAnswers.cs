using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Runtime;
using Npgsql;

namespace CdcMigrator.Service.Http;

/// <summary>A fault of a request as its answer: <see cref="FaultReport"/> with the status that says who can act.</summary>
internal static class FaultAnswers
{
    public static async Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception exception) when (exception is FaultException or NpgsqlException or TimeoutException or System.Net.Sockets.SocketException && !context.Response.HasStarted)
        {
            var fault = exception is FaultException known ? known.Fault : PostgresFaults.Classify(exception);
            context.Response.StatusCode = StatusOf(fault.Kind);
            await context.Response.WriteAsJsonAsync(FaultReport.Of(fault), ApiJson.Options, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer any more.
        }
        catch (Exception exception) when (exception is not BadHttpRequestException && !context.Response.HasStarted)
        {
            RuntimeLog.RequestFailed(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("http"), exception, context.Request.Path);
            var fault = new Fault(FaultKind.Internal, "request-failed", $"The service failed to answer {context.Request.Path}: {exception.Message}", "Its log has the rest: report it; 'cdcm status' shows whether the migration goes on");
            context.Response.StatusCode = StatusOf(fault.Kind);
            await context.Response.WriteAsJsonAsync(FaultReport.Of(fault), ApiJson.Options, context.RequestAborted);
        }
    }

    private static int StatusOf(FaultKind kind) => kind switch
    {
        FaultKind.Configuration => StatusCodes.Status400BadRequest,
        FaultKind.Unreachable or FaultKind.Transient => StatusCodes.Status503ServiceUnavailable,
        FaultKind.NotAllowed or FaultKind.Fenced => StatusCodes.Status409Conflict,
        FaultKind.TimedOut => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };
}

using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.Service.Http;

/// <summary>Addresses that have a direction apply nothing, and go on.</summary>
internal static class PauseApi
{
    private const string Form = """Send {"by": "who", "reason": "why"}; to go on, without a reason""";

    public static void Map(IEndpointRouteBuilder routes, MigrationDefinition definition, MigrationRuntime runtime, BothWays ways)
    {
        routes.MapPost("/api/pause", async context =>
        {
            var request = await ReadAsync(context);
            if (string.IsNullOrWhiteSpace(request.Reason))
            {
                throw new FaultException(FaultKind.Configuration, "bad-request", "a pause needs a reason", Form);
            }

            await ways.RefuseDuringAttemptAsync(context.RequestAborted);
            var pause = await runtime.Pauses.PauseAsync(request.By.Trim(), request.Reason.Trim(), context.RequestAborted);
            if (!await ways.CameInTimeAsync(definition.Direction, context.RequestAborted))
            {
                await runtime.Pauses.ResumeAsync(request.By.Trim(), CancellationToken.None);
                throw new FaultException(
                    FaultKind.NotAllowed, "direction-closed", "An attempt has left its side for good while the pause waited: nothing is applied in this direction any more, and the pause was taken back",
                    "'cdcm cutover status' shows both sides; the other direction is paused with '--back', or without it");
            }

            await AnswerAsync(context, new PauseReport(definition.Name, pause));
        });
        routes.MapPost("/api/resume", async context =>
        {
            var ended = await runtime.Pauses.ResumeAsync((await ReadAsync(context)).By.Trim(), context.RequestAborted);
            await AnswerAsync(context, new PauseReport(definition.Name, null, ended));
        });
    }

    private static async Task<PauseRequest> ReadAsync(HttpContext context)
    {
        PauseRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<PauseRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", $"the body is not a request to pause or to go on: {exception.Message}", Form);
        }

        return string.IsNullOrWhiteSpace(request?.By) ? throw new FaultException(FaultKind.Configuration, "bad-request", "a request to pause or to go on names who asks", Form) : request;
    }

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, ApiJson.Options, context.RequestAborted);
    }
}

using System.Globalization;
using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;

namespace CdcMigrator.Service.Http;

/// <summary>Addresses of comparisons.</summary>
internal static class VerifyApi
{
    private const string Form = """Send {"tables": ["public.orders"]} or {"all": true}""";

    public static void Map(IEndpointRouteBuilder routes, VerifyReports reports)
    {
        routes.MapGet("/api/verify", async context => await AnswerAsync(context, await reports.ListAsync(context.RequestAborted)));
        routes.MapGet("/api/verify/last", async context => await AnswerAsync(context, await reports.LastAsync(context.RequestAborted)
            ?? throw new FaultException(FaultKind.Configuration, "unknown-run", "Nothing was compared yet", "'cdcm verify start' begins a comparison")));
        routes.MapGet("/api/verify/{run:long}", async context =>
            await AnswerAsync(context, await reports.ReadAsync(long.Parse((string)context.Request.RouteValues["run"]!, CultureInfo.InvariantCulture), context.RequestAborted)));
        routes.MapGet("/api/verify/checks", async context => await AnswerAsync(context, await reports.ChecksAsync(context.RequestAborted)));
        routes.MapPost("/api/verify", context => StartAsync(context, reports));
        routes.MapPost("/api/verify/stop", async context => await AnswerAsync(context, await reports.StopAsync(context.RequestAborted)));
    }

    /// <summary>Notes what is to be compared; the comparison goes on behind the answer.</summary>
    private static async Task StartAsync(HttpContext context, VerifyReports reports)
    {
        VerifyRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<VerifyRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", $"the body is not a request to compare: {exception.Message}", Form);
        }

        if (request is not ({ All: true, Tables: null or { Count: 0 } } or { All: false, Tables.Count: > 0 }))
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", "a request to compare names tables, or asks for all of them", Form);
        }

        await AnswerAsync(context, await reports.RequestAsync(request, context.RequestAborted));
    }

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, ApiJson.Options, context.RequestAborted);
    }
}

using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Status;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;
using NpgsqlTypes;

namespace CdcMigrator.Service.Http;

/// <summary>Addresses that show the migration, and the two that ask something of it.</summary>
internal static class StatusApi
{
    private static readonly TimeSpan LongestDrain = TimeSpan.FromHours(1);

    public static void Map(IEndpointRouteBuilder routes, MigrationRuntime runtime, StatusReports reports)
    {
        routes.MapGet("/api/status", async context => await AnswerAsync(context, await reports.StatusAsync(context.RequestAborted)));
        routes.MapGet("/api/gate", async context => await AnswerAsync(context, await reports.GateAsync(context.RequestAborted)));
        routes.MapGet("/api/tables", async context => await AnswerAsync(context, await reports.TablesAsync(context.RequestAborted)));
        routes.MapPost("/api/tables/resync", context => ResyncAsync(context, runtime, reports));
        routes.MapPost("/api/tables/repair", context => RepairAsync(context, runtime));
        routes.MapGet("/api/lag", context => AnswerAsync(context, reports.Lag()));
        routes.MapPost("/api/lanes/retry", context => RetryAsync(context, runtime));
        routes.MapPost("/api/drain", context => DrainAsync(context, runtime));
    }

    private static async Task RetryAsync(HttpContext context, MigrationRuntime runtime)
    {
        var halted = runtime.Status().Pipeline?.Lanes.Where(lane => lane.State is LaneState.Halted or LaneState.Retrying).Select(lane => lane.Lane.ToString()).ToList() ?? [];
        await runtime.RetryLanesAsync(context.RequestAborted);
        await AnswerAsync(context, new RetryResponse(halted));
    }

    /// <summary>Notes which tables are to be copied; the copying goes on behind the answer.</summary>
    private static async Task ResyncAsync(HttpContext context, MigrationRuntime runtime, StatusReports reports)
    {
        ResyncRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<ResyncRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", $"the body is not a resync request: {exception.Message}", ResyncForm);
        }

        if (request is not ({ All: true, Tables: null or { Count: 0 } } or { All: false, Tables.Count: > 0 }))
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", "a resync request names tables, or asks for all of them", ResyncForm);
        }

        await runtime.ResyncAsync(reports.Named(request), context.RequestAborted);
        await AnswerAsync(context, await reports.TablesAsync(context.RequestAborted));
    }

    private static async Task RepairAsync(HttpContext context, MigrationRuntime runtime)
    {
        RepairRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<RepairRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", $"the body is not a repair request: {exception.Message}", RepairForm);
        }

        if (request is not { Table.Length: > 0 } || request.AllWrong == request.Keys is { Count: > 0 })
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", "a repair request names a table, and keys of it or all wrong rows", RepairForm);
        }

        await AnswerAsync(context, await runtime.Repairs.RepairAsync(request, context.RequestAborted));
    }

    /// <summary>Waits for the proof; the answer says how far it came, and only <c>drained: true</c> is a proof.</summary>
    private static async Task DrainAsync(HttpContext context, MigrationRuntime runtime)
    {
        DrainRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<DrainRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw Refused($"the body is not a drain request: {exception.Message}");
        }

        if (request is not { Marker.Length: > 0, Lsn: not null } || !NpgsqlLogSequenceNumber.TryParse(request.Lsn, out var lsn))
        {
            throw Refused("a drain request needs the marker's id and the source's position as X/Y");
        }

        if (request.TimeoutMs < 0 || TimeSpan.FromMilliseconds(request.TimeoutMs) > LongestDrain)
        {
            throw Refused("timeoutMs must be between 0 and an hour");
        }

        await AnswerAsync(context, await runtime.DrainAsync(request.Marker, (ulong)lsn, TimeSpan.FromMilliseconds(request.TimeoutMs), context.RequestAborted));
    }

    private const string ResyncForm = """Send {"tables": ["public.orders"]} or {"all": true}""";

    private const string RepairForm = """Send {"table": "public.orders", "keys": ["id=7"]} or {"table": "public.orders", "allWrong": true}""";

    private static FaultException Refused(string message) =>
        new(FaultKind.Configuration, "bad-request", message, """Send {"marker": "marker:…", "lsn": "0/16B3748", "timeoutMs": 30000}""");

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, ApiJson.Options, context.RequestAborted);
    }
}

using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Configuration;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Http;

/// <summary>Addresses of waivers: who accepts that a criterion of the gate does not pass.</summary>
internal static class WaiverApi
{
    private const string Form = """Send {"criterion": "reads", "reason": "why", "by": "who", "until": "24h"}; until may be left out""";

    public static void Map(IEndpointRouteBuilder routes, MigrationDefinition definition, MigrationRuntime runtime)
    {
        routes.MapGet("/api/waivers", async context => await AnswerAsync(context, await ReportAsync(definition, runtime, context.RequestAborted)));
        routes.MapPost("/api/waivers", context => WaiveAsync(context, definition, runtime));
        routes.MapPost("/api/waivers/revoke", context => RevokeAsync(context, definition, runtime));
    }

    /// <summary>What is waived is what the gate finds at this moment.</summary>
    private static async Task WaiveAsync(HttpContext context, MigrationDefinition definition, MigrationRuntime runtime)
    {
        var request = await ReadAsync(context);
        TimeSpan? until = null;
        if (string.IsNullOrWhiteSpace(request.Reason))
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", "a waiver needs a reason", Form);
        }

        if (request.Until is { } text)
        {
            until = Durations.TryParse(text, out var time) && time > TimeSpan.Zero ? time : throw new FaultException(FaultKind.Configuration, "bad-request", $"until is '{text}' but must be {Durations.Form}", Form);
        }

        var (gate, _) = await GateAsync(definition, runtime, context.RequestAborted);
        var criterion = WaiverRules.Require(gate, request.Criterion);
        await runtime.Verification.Waivers.WaiveAsync(criterion.Name, criterion.Finding!, criterion.Measured, request.Reason.Trim(), request.By.Trim(), until, context.RequestAborted);
        await AnswerAsync(context, await ReportAsync(definition, runtime, context.RequestAborted));
    }

    private static async Task RevokeAsync(HttpContext context, MigrationDefinition definition, MigrationRuntime runtime)
    {
        var request = await ReadAsync(context);
        if (!await runtime.Verification.Waivers.RevokeAsync(request.Criterion, request.By.Trim(), context.RequestAborted))
        {
            throw new FaultException(FaultKind.NotAllowed, "no-waiver", $"There is no waiver of '{request.Criterion}'", "'cdcm waive --list' shows those there are");
        }

        await AnswerAsync(context, await ReportAsync(definition, runtime, context.RequestAborted));
    }

    private static async Task<WaiversReport> ReportAsync(MigrationDefinition definition, MigrationRuntime runtime, CancellationToken cancellationToken)
    {
        var waivers = await runtime.Verification.Waivers.ReadAsync(cancellationToken);
        var (gate, at) = await GateAsync(definition, runtime, cancellationToken);
        return new WaiversReport(definition.Name, gate.Open, [.. waivers.Select(waiver => WaiverReport.Of(waiver, WaiverRules.StateOf(waiver, gate, at)))], WaiverRules.Waivable);
    }

    private static async Task<(GateReport Gate, DateTimeOffset At)> GateAsync(MigrationDefinition definition, MigrationRuntime runtime, CancellationToken cancellationToken)
    {
        var now = await runtime.StatusWithFindingsAsync(cancellationToken);
        var at = TimeProvider.System.GetUtcNow();
        return (Gate.Of(definition, now, at), at);
    }

    private static async Task<WaiverRequest> ReadAsync(HttpContext context)
    {
        WaiverRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<WaiverRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", $"the body is not a waiver: {exception.Message}", Form);
        }

        return request is { Criterion.Length: > 0 } && !string.IsNullOrWhiteSpace(request.By)
            ? request
            : throw new FaultException(FaultKind.Configuration, "bad-request", "a waiver names the criterion, and who asks", Form);
    }

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, ApiJson.Options, context.RequestAborted);
    }
}

using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Advising;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.Service.Http;

/// <summary>Addresses of the cutover and the way back.</summary>
internal static class CutoverApi
{
    private const string Form = """Send {"migration": "NAME", "direction": "forward" or "back", "rehearsal": false, "actor": "who"}, to go back for good with "noReturn": true""";

    private const string CompletionForm = """Send {"migration": "NAME", "actor": "who"}""";

    public static void Map(IEndpointRouteBuilder routes, MigrationDefinition definition, CutoverDesk? desk, AdviceDesk advice)
    {
        routes.MapGet("/api/advice", async context => await AnswerAsync(context, await advice.AskAsync(context.RequestAborted)));
        routes.MapGet("/api/cutover", async context => await AnswerAsync(context, await Require(desk).StatusAsync(context.RequestAborted)));
        routes.MapPost("/api/cutover/prepare", async context => await AnswerAsync(context, await Require(desk).PrepareAsync(context.RequestAborted)));
        routes.MapPost("/api/cutover/abort", async context => await AnswerAsync(context, await Require(desk).AbortAsync(context.RequestAborted)));
        routes.MapPost("/api/cutover/complete", context => CompleteAsync(context, definition, Require(desk)));
        routes.MapPost("/api/cutover/start", async context =>
        {
            var request = await ReadAsync(context, definition);
            await AnswerAsync(context, await Require(desk).StartAsync(request, context.RequestAborted));
        });
        routes.MapPost("/api/cutover/plan", async context =>
        {
            var request = await ReadAsync(context, definition);
            await AnswerAsync(context, await Require(desk).PlanAsync(request, context.RequestAborted));
        });
        routes.MapGet("/api/cutover/evidence", async context => await AnswerAsync(context, await Require(desk).EvidenceAsync(context.Request.Query["attempt"], context.RequestAborted)));
    }

    private static async Task CompleteAsync(HttpContext context, MigrationDefinition definition, CutoverDesk desk)
    {
        CompletionRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<CompletionRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", $"the body is not a request to complete a migration: {exception.Message}", CompletionForm);
        }

        if (request is not { Migration.Length: > 0, Actor.Length: > 0 })
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", "a request to complete a migration names it and who asks", CompletionForm);
        }

        RequireSame(definition, request.Migration);
        await AnswerAsync(context, await desk.CompleteAsync(request.Actor, context.RequestAborted));
    }

    private static void RequireSame(MigrationDefinition definition, string name)
    {
        if (name != definition.Name)
        {
            throw new FaultException(FaultKind.Configuration, "another-migration", $"This service runs migration {definition.Name}, not {name}", "Name the migration that is meant, or the service (--server)");
        }
    }

    private static async Task<CutoverRequest> ReadAsync(HttpContext context, MigrationDefinition definition)
    {
        CutoverRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<CutoverRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", $"the body is not a request for a cutover: {exception.Message}", Form);
        }

        if (request is not { Migration.Length: > 0, Actor.Length: > 0 })
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", "a request for a cutover names the migration and who asks", Form);
        }

        if (request is { NoReturn: true, Direction: MigrationDirection.Forward })
        {
            throw new FaultException(FaultKind.Configuration, "bad-request", "only going back can be asked for without a way over again", "A cutover goes without a way back where the migration file says 'requireReverse: false' under 'cutover:' and the way back does not work");
        }

        RequireSame(definition, request.Migration);
        return request;
    }

    private static CutoverDesk Require(CutoverDesk? desk) => desk
        ?? throw new FaultException(FaultKind.NotAllowed, "no-fence", "A source that is not PostgreSQL cannot be fenced yet", "Stop its applications, wait for 'cdcm lag' and 'cdcm verify start --wait', then open the target by hand");

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, ApiJson.Options, context.RequestAborted);
    }
}

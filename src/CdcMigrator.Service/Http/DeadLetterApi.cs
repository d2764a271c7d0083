using System.Globalization;
using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.DeadLetters;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Http;

/// <summary>Addresses that show dead letters, retry and discard them.</summary>
internal static class DeadLetterApi
{
    private const int MostListed = 10_000;
    private const int ListedByDefault = 100;

    public static void Map(IEndpointRouteBuilder routes, DeadLetterHandling letters)
    {
        routes.MapGet("/api/dlq", context => ListAsync(context, letters));
        routes.MapGet("/api/dlq/{id}", context => ShowAsync(context, letters));
        routes.MapPost("/api/dlq/retry", context => RetryAsync(context, letters));
        routes.MapPost("/api/dlq/discard", context => DiscardAsync(context, letters));
    }

    private static async Task ListAsync(HttpContext context, DeadLetterHandling letters)
    {
        var query = context.Request.Query;
        var most = ListedByDefault;
        if (query.TryGetValue("limit", out var limit) && !(int.TryParse(limit, CultureInfo.InvariantCulture, out most) && most is > 0 and <= MostListed))
        {
            throw Refused($"limit must be between 1 and {MostListed}");
        }

        var choice = new DeadLetterChoice(Table: query.TryGetValue("table", out var table) ? table.ToString() : null, Key: query.TryGetValue("key", out var key) ? key.ToString() : null);
        await AnswerAsync(context, await letters.ListAsync(choice, most, context.RequestAborted));
    }

    private static async Task ShowAsync(HttpContext context, DeadLetterHandling letters)
    {
        if (!long.TryParse(context.Request.RouteValues["id"]?.ToString(), CultureInfo.InvariantCulture, out var id))
        {
            throw Refused("the id of a dead letter is a number");
        }

        await AnswerAsync(context, await letters.ShowAsync(id, context.RequestAborted));
    }

    private static async Task RetryAsync(HttpContext context, DeadLetterHandling letters)
    {
        var request = await ReadAsync(context);
        await AnswerAsync(context, await letters.RetryAsync(Choice(request), request.From, Actor(request), context.RequestAborted));
    }

    private static async Task DiscardAsync(HttpContext context, DeadLetterHandling letters)
    {
        var request = await ReadAsync(context);
        await AnswerAsync(context, await letters.DiscardAsync(Choice(request), Actor(request), context.RequestAborted));
    }

    private static async Task<DeadLetterRequest> ReadAsync(HttpContext context)
    {
        DeadLetterRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<DeadLetterRequest>(context.Request.Body, ApiJson.Options, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw Refused($"the body does not say which dead letters are meant: {exception.Message}");
        }

        return request is null || (request.All ? request.Id is not null || request.Table is not null || request.Key is not null : request.Id is null && request.Table is null && request.Key is null)
            ? throw Refused("either all, or an id, a table or a key must be named")
            : request;
    }

    private static DeadLetterChoice Choice(DeadLetterRequest request) => new(request.Id, request.Table, request.Key);

    private static string Actor(DeadLetterRequest request) => string.IsNullOrWhiteSpace(request.Actor) ? "api" : request.Actor;

    private static FaultException Refused(string message) =>
        new(FaultKind.Configuration, "bad-request", message, """Send {"id": 7}, {"table": "public.orders"}, {"key": "{\"id\":\"1\"}"} or {"all": true}""");

    private static Task AnswerAsync<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, ApiJson.Options, context.RequestAborted);
    }
}

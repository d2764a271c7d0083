using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Switching;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace CdcMigrator.IntegrationTests.Routing;

/// <summary>Hooks that are requests, to a real endpoint.</summary>
public sealed class HttpTests : IAsyncLifetime
{
    private static readonly HookContext Context = new("shop", "t1", 7, MigrationDirection.Back, new RouteEnd("old", 5432, "a"), new RouteEnd("new", 5433, "b"));
    private readonly HookRunner runner = new();
    private readonly List<string> seen = [];
    private WebApplication server = null!;
    private string address = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        server = builder.Build();
        server.Run(async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            seen.Add($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} [{context.Request.Headers.Authorization}] [{context.Request.ContentType}] [{context.Request.Headers["Idempotency-Key"]}] {await body.ReadToEndAsync(context.RequestAborted)}");
            switch (context.Request.Path.Value)
            {
                case "/wait":
                    await Task.Delay(Timeout.Infinite, context.RequestAborted);
                    break;
                case "/moved":
                    context.Response.Redirect("/ok");
                    break;
                case "/refused":
                    context.Response.StatusCode = 409;
                    await context.Response.WriteAsync($"no: {context.Request.Headers.Authorization}");
                    break;
                case "/endless":
                    while (!context.RequestAborted.IsCancellationRequested)
                    {
                        await context.Response.WriteAsync("more and more ");
                    }

                    break;
                default:
                    await context.Response.WriteAsync("fine");
                    break;
            }
        });
        await server.StartAsync(Cancellation);
        address = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    }

    public async ValueTask DisposeAsync()
    {
        runner.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_request_says_where_applications_go_and_a_repeat_has_the_same_key()
    {
        Assert.Equal(new HookRun(null, "HTTP 200", "fine"), await RunAsync("/pools/{{migration}}?d={{direction}}"));
        Assert.Equal(new HookRun(null, "HTTP 200", "fine"), await RunAsync("/pools/{{migration}}?d={{direction}}"));
        Assert.Equal(seen[0], seen[1]);
        Assert.Equal($"POST /pools/shop?d=back [Bearer key] [application/json] [t1-AfterOpen-lb] {Context.Json(HookMoment.AfterOpen)}", seen[0]);
    }

    [Fact]
    public async Task Method_body_and_headers_are_the_files()
    {
        await RunAsync("/x", "PUT", HookText.Plain("to={{toHost}}"), new() { ["content-type"] = HookText.Plain("text/plain"), ["Idempotency-Key"] = HookText.Plain("{{token}}") });
        await RunAsync("/y", "DELETE", null, []);
        Assert.Equal(["PUT /x [] [text/plain] [t1] to=new", "DELETE /y [] [] [t1-AfterOpen-lb] "], seen);
    }

    [Theory]
    [InlineData("/refused", "hook-failed", "HTTP 409", "no: Bearer ***")]
    [InlineData("/moved", "hook-failed", "HTTP 302", "")]
    public async Task Another_status_is_a_failure_with_what_was_answered(string path, string code, string result, string output) =>
        Assert.Equal(new HookRun(code, result, output), await RunAsync(path));

    [Fact]
    public async Task A_status_of_the_file_is_success() => Assert.Null((await RunAsync("/refused", statuses: [409])).Code);

    [Fact]
    public async Task An_endless_answer_is_cut() => Assert.InRange((await RunAsync("/endless")).Output.Length, 1000, OutputTail.Length + 10);

    [Fact]
    public async Task Who_does_not_answer_in_time_or_at_all_is_a_failure_and_who_gives_up_gives_up()
    {
        Assert.Equal(("hook-timeout", "no answer within 100ms"), await RunAsync("/wait", timeout: TimeSpan.FromMilliseconds(100)) is var late ? (late.Code, late.Result) : default);
        var nobody = new HttpHook("lb", HookText.Plain("http://127.0.0.1:1/"), "POST", new Dictionary<string, HookText>(), null, [], TimeSpan.FromMinutes(1));
        Assert.Equal(("hook-unreachable", "no answer"), await runner.RunAsync(nobody, HookMoment.AfterOpen, Context, Cancellation) is var refused ? (refused.Code, refused.Result) : default);

        using var caller = new CancellationTokenSource();
        var running = runner.RunAsync(nobody with { Url = HookText.Plain($"{address}/wait") }, HookMoment.AfterOpen, Context, caller.Token);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private Task<HookRun> RunAsync(
        string path, string method = "POST", HookText? body = null, Dictionary<string, HookText>? headers = null, IReadOnlyList<int>? statuses = null, TimeSpan? timeout = null) => runner.RunAsync(
        new HttpHook(
            "lb", HookText.Plain($"{address}{path}"), method, headers ?? new() { ["Authorization"] = new HookText("Bearer key", "Bearer ${KEY}", ["key"]) }, body, statuses ?? [], timeout ?? TimeSpan.FromMinutes(1)),
        HookMoment.AfterOpen, Context, Cancellation);
}

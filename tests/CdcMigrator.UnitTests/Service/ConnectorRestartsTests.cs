using System.Collections.Concurrent;
using System.Net;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Service.Watching;
using CdcMigrator.UnitTests.Connect;
using Microsoft.Extensions.Time.Testing;
using Prometheus;

namespace CdcMigrator.UnitTests.Service;

public sealed class ConnectorRestartsTests : IAsyncDisposable
{
    private const string Restart = "POST /connectors/shop-source/restart?includeTasks=true&onlyFailed=true";
    private static readonly ConnectorStatus Failed = Status("RUNNING", "FAILED");
    private static readonly ConnectorStatus Running = Status("RUNNING", "RUNNING");

    private readonly FakeTimeProvider time = new();
    private readonly CollectorRegistry registry = Metrics.NewCustomRegistry();
    private readonly KeptLog log = new();
    private readonly CancellationTokenSource stop = new();
    private readonly StubHandler handler;
    private readonly ConnectClient client;
    private readonly ConnectorRestarts restarts;
    private Func<HttpRequestMessage, Task<HttpResponseMessage>> answer = _ => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Accepted));
    private Task run = Task.CompletedTask;

    public ConnectorRestartsTests()
    {
        handler = new StubHandler((request, _) => answer(request));
        client = new ConnectClient(new Uri("http://connect:8083"), handler, time);
        restarts = new ConnectorRestarts(
            new ConnectSection(new Uri("http://connect:8083"), "shop-source") { MaxRestarts = 2 }, client, new ServiceMetrics(Metrics.WithCustomRegistry(registry)), time, log);
        run = restarts.RunAsync(stop.Token);
    }

    [Fact]
    public async Task What_has_failed_is_restarted_once_its_pause_is_over_and_that_is_counted_and_told()
    {
        var outlook = restarts.Look(Failed, null);
        Assert.Equal((0, 2, TimeSpan.FromSeconds(2), false), (outlook.Count, outlook.Limit, outlook.Next, outlook.IsAsked));
        time.Advance(TimeSpan.FromSeconds(2));
        restarts.Look(Failed, null);
        await UntilAsync(() => !log.Lines.IsEmpty);
        Assert.Equal([Restart], handler.Requests);
        Assert.Equal(["Warning: Connector shop-source, task 0 is restarted (1 of 2 times in a row), for it has failed: java.io.IOException: gone"], log.Lines);
        Assert.Contains("cdcmigrator_connector_restarts_total{connector=\"shop-source\"} 1", await ExportAsync(), StringComparison.Ordinal);
        outlook = restarts.Look(Failed, null);
        Assert.Equal((1, TimeSpan.FromSeconds(5), false), (outlook.Count, outlook.Next, outlook.IsAsked));
        Assert.Null(restarts.Look(Running, null).Next);
    }

    [Fact]
    public async Task While_a_restart_is_asked_for_nobody_asks_for_another()
    {
        var accepted = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        answer = _ => accepted.Task;
        FailUntilDue();
        await UntilAsync(() => handler.Requests.Count == 1);
        for (var i = 0; i < 5; i++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            Assert.True(restarts.Look(Failed, null).IsAsked);
        }

        accepted.SetResult(new HttpResponseMessage(HttpStatusCode.Accepted));
        await UntilAsync(() => log.Lines.Count == 1);
        Assert.Equal((1, false), (restarts.Look(Failed, null).Count, restarts.Look(Failed, null).IsAsked));
        Assert.Equal([Restart], handler.Requests);
    }

    [Fact]
    public async Task After_the_last_one_it_stays_failed_until_it_has_run_for_a_while()
    {
        await RestartAsync(1);
        await RestartAsync(2);
        for (var i = 0; i < 10; i++)
        {
            time.Advance(TimeSpan.FromMinutes(30));
            var outlook = restarts.Look(Failed, null);
            Assert.Equal((2, null, false), (outlook.Count, outlook.Next, outlook.IsAsked));
        }

        restarts.Look(Running, null);
        time.Advance(TimeSpan.FromMinutes(10));
        restarts.Look(Running, null);
        await RestartAsync(3);
        Assert.Equal(1, restarts.Look(Running, null).Count);
    }

    [Fact]
    public async Task An_answer_that_is_lost_counts_for_it_may_have_been_restarted()
    {
        answer = _ => throw new HttpRequestException("reset");
        await RestartAsync(1);
        Assert.StartsWith("Warning: Connector shop-source, task 0 has failed and could not be restarted: ", log.Lines.Single(), StringComparison.Ordinal);
        var outlook = restarts.Look(Failed, null);
        Assert.Equal((1, "connect-unreachable"), (outlook.Count, outlook.Refused?.Code));
        Assert.DoesNotContain("restarts_total{connector=\"shop-source\"} 1", await ExportAsync(), StringComparison.Ordinal);
        await RestartAsync(2);
        time.Advance(TimeSpan.FromHours(2));
        Assert.Null(restarts.Look(Failed, null).Next);
        Assert.Null(restarts.Look(Running, null).Refused);
    }

    [Fact]
    public async Task While_workers_rebalance_nothing_is_restarted_and_nothing_counted()
    {
        answer = _ => Task.FromResult(StubHandler.Json(HttpStatusCode.Conflict, """{"error_code":409,"message":"rebalance in progress"}"""));
        FailUntilDue();
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return !log.Lines.IsEmpty;
        });
        var outlook = restarts.Look(Failed, null);
        Assert.Equal((0, "connect-rebalancing", TimeSpan.FromSeconds(2)), (outlook.Count, outlook.Refused?.Code, outlook.Next));
    }

    [Fact]
    public async Task Nothing_is_asked_for_against_a_barrier_nor_on_what_is_not_known_any_more()
    {
        var barrier = new RestartBarrier("It is not restarted while it is PAUSED", "resume");
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal((false, barrier), (restarts.Look(Failed, barrier).IsAsked, restarts.Look(Failed, barrier).Barrier));
            time.Advance(TimeSpan.FromMinutes(1));
            Assert.False(restarts.Look(null, null).IsAsked);
        }

        Assert.Empty(handler.Requests);
        Assert.True(restarts.Look(Failed, null).IsAsked);
        await UntilAsync(() => handler.Requests.Count == 1);
    }

    [Fact]
    public async Task What_was_asked_for_when_a_life_ended_is_asked_for_in_the_next_one()
    {
        answer = _ => new TaskCompletionSource<HttpResponseMessage>().Task;
        FailUntilDue();
        await UntilAsync(() => handler.Requests.Count == 1);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.True(restarts.Look(Failed, null).IsAsked);

        answer = _ => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Accepted));
        using var next = new CancellationTokenSource();
        var again = restarts.RunAsync(next.Token);
        Assert.Equal(0, restarts.Look(Failed, null).Count);
        await UntilAsync(() => log.Lines.Count == 1);
        Assert.Equal([Restart, Restart], handler.Requests);
        Assert.Equal(1, restarts.Look(Failed, null).Count);
        await next.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => again);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await run.ContinueWith(static _ => { }, TaskScheduler.Default);
        client.Dispose();
        handler.Dispose();
        stop.Dispose();
    }

    /// <summary>It fails until Connect is asked to restart it.</summary>
    private void FailUntilDue()
    {
        time.Advance(restarts.Look(Failed, null).Next!.Value);
        Assert.True(restarts.Look(Failed, null).IsAsked);
    }

    /// <summary>The same, and Connect has answered.</summary>
    private async Task RestartAsync(int answers)
    {
        FailUntilDue();
        await UntilAsync(() => log.Lines.Count == answers);
        Assert.Equal(answers, handler.Requests.Count);
    }

    private async Task<string> ExportAsync()
    {
        using var stream = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(stream, TestContext.Current.CancellationToken);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private static ConnectorStatus Status(string state, string task) =>
        new("shop-source", state, "w:8083", [new ConnectorTask(0, task, "w:8083", task == "FAILED" ? "java.io.IOException: gone\n\tat x" : "")]);

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        while (!condition())
        {
            await Task.Delay(1, limit.Token);
        }
    }

    private sealed class KeptLog : ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CdcMigrator.Domain.Status;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using CdcMigrator.UnitTests.Service;

namespace CdcMigrator.UnitTests.Cli;

/// <summary>Verbs that ask a service, against one that gives a prepared answer.</summary>
public sealed class StatusCommandTests
{
    private static readonly CdcMigrator.Service.Runtime.RuntimeStatus Busy = Scene.Running(
        Scene.Lane("orders", 0, LaneState.Running, 100, 1110, 1.25), Scene.Lane("orders", 1, LaneState.Halted, 150, 400, 12.5, Scene.UnknownColumn));

    [Fact]
    public async Task Status_for_people_goes_to_standard_error_and_names_the_halted_lane()
    {
        var run = await AskAsync(HttpStatusCode.OK, StatusReports.Status(Scene.Definition, Busy, DateTimeOffset.UnixEpoch), "status");
        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.Contains("shop  Replicating  1,260 records, 12.5 s behind", run.Error, StringComparison.Ordinal);
        Assert.Contains("error: column late of public.orders is not in the target (table public.orders, key {\"id\": 7}, shop.public.orders[1] offset 150)", run.Error, StringComparison.Ordinal);
        Assert.Contains("fix: Add the column to the target", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_for_scripts_is_the_body_of_the_api()
    {
        var report = StatusReports.Status(Scene.Definition, Busy, DateTimeOffset.UnixEpoch);
        var run = await AskAsync(HttpStatusCode.OK, report, "status", "-o", "json");
        Assert.Equal(JsonSerializer.Serialize(report, ApiJson.Options), run.Output.TrimEnd());
        Assert.Empty(run.Error);
    }

    [Fact]
    public async Task Lag_by_partition_shows_every_lane()
    {
        var run = await AskAsync(HttpStatusCode.OK, StatusReports.Lag(Scene.Definition, Busy), "lag", "--by", "partition");
        Assert.Contains("1,010", run.Error, StringComparison.Ordinal);
        Assert.Contains("Halted", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_gate_answers_3_and_says_of_each_criterion_what_to_do()
    {
        var gate = StatusReports.Status(Scene.Definition, Busy, DateTimeOffset.UnixEpoch).Gate;
        var run = await AskAsync(HttpStatusCode.OK, gate, "cutover", "check");
        Assert.Equal(3, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.All(gate.Criteria, criterion =>
        {
            Assert.Contains(criterion.Name, run.Error, StringComparison.Ordinal);
            Assert.Equal(criterion.State != "PASS", criterion.Fix.Length > 0);
        });
        Assert.Contains("gate: closed", run.Error, StringComparison.Ordinal);

        var scripted = await AskAsync(HttpStatusCode.OK, gate, "cutover", "check", "-o", "json");
        Assert.Equal((3, JsonSerializer.Serialize(gate, ApiJson.Options)), (scripted.ExitCode, scripted.Output.TrimEnd()));
    }

    [Fact]
    public async Task An_open_gate_answers_0()
    {
        var run = await AskAsync(HttpStatusCode.OK, new GateReport(true, [new GateCriterion("lag", "PASS", "0.1s", "5s")]), "cutover", "check");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("gate: open", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.OK, 0)]
    [InlineData(HttpStatusCode.ServiceUnavailable, 3)]
    public async Task Health_answers_with_its_exit_code(HttpStatusCode status, int exitCode)
    {
        var run = await AskAsync(status, new HealthReport(exitCode == 0, "lanes are being claimed"), "health");
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains("lanes are being claimed", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_of_the_service_is_shown_as_if_it_were_ours()
    {
        var run = await AskAsync(
            HttpStatusCode.Conflict, new FaultReport(CdcMigrator.Domain.Faults.FaultKind.NotAllowed, "not-started", "it has not started", "wait", null, null, null, null, null), "status");
        Assert.Equal(6, run.ExitCode);
        Assert.Contains("error: it has not started", run.Error, StringComparison.Ordinal);
        Assert.Contains("fix: wait", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Something_else_at_the_address_is_told_so()
    {
        var run = await AskAsync(HttpStatusCode.NotFound, "nothing here", "status");
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("is not the answer of a cdcm service: status 404", run.Error, StringComparison.Ordinal);
    }

    private static async Task<CliRun> AskAsync<T>(HttpStatusCode status, T body, params string[] arguments)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answer = AnswerAsync(listener, status, JsonSerializer.Serialize(body, ApiJson.Options));
        var run = await CliRun.Of([.. arguments, "--server", $"http://{listener.LocalEndpoint}"]);
        await answer;
        return run;
    }

    private static async Task AnswerAsync(TcpListener listener, HttpStatusCode status, string body)
    {
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, leaveOpen: true);
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 })
        {
            // Request line and headers.
        }

        var bytes = Encoding.UTF8.GetBytes(body);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {(int)status} X\r\nContent-Type: application/json\r\nContent-Length: {bytes.Length}\r\nConnection: close\r\n\r\n"));
        await stream.WriteAsync(bytes);
    }
}

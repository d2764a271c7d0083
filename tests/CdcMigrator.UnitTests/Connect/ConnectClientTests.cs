using System.Net;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Connect;

public sealed class ConnectClientTests
{
    private const string NotFound = """{"error_code":404,"message":"Connector shop-source not found"}""";

    private static readonly Uri Url = new("http://connect.example:8083/");

    [Fact]
    public async Task Settings_come_back_in_connects_order_with_secrets()
    {
        using var handler = new StubHandler(HttpStatusCode.OK, """{"topic.prefix":"shop","database.password":"pw","name":"shop-source"}""");
        using var client = new ConnectClient(Url, handler);
        var settings = await client.GetConfigAsync("shop-source", default);
        Assert.Equal(["topic.prefix", "database.password", "name"], settings.Keys);
        Assert.Equal("pw", settings["database.password"]);
        Assert.Equal(["GET /connectors/shop-source/config"], handler.Requests);
    }

    [Fact]
    public async Task A_connector_name_is_escaped_in_the_path()
    {
        using var handler = new StubHandler(HttpStatusCode.OK, "{}");
        using var client = new ConnectClient(Url, handler);
        await client.GetConfigAsync("a b/c", default);
        Assert.Equal(["GET /connectors/a%20b%2Fc/config"], handler.Requests);
    }

    [Fact]
    public async Task Putting_settings_sends_them_as_one_flat_object()
    {
        using var handler = new StubHandler(HttpStatusCode.Created, "{}");
        using var client = new ConnectClient(Url, handler);
        await client.PutConfigAsync("shop-source", new Dictionary<string, string> { ["topic.prefix"] = "shop" }, default);
        Assert.Equal(["PUT /connectors/shop-source/config"], handler.Requests);
        Assert.Equal(["""{"topic.prefix":"shop"}"""], handler.Bodies);
    }

    [Fact]
    public async Task Refused_settings_are_a_configuration_fault_with_connects_words_and_without_the_password()
    {
        using var handler = new StubHandler(HttpStatusCode.BadRequest, """{"error_code":400,"message":"Connector configuration is invalid:\nFATAL: password 's3cret!' is wrong"}""");
        using var client = new ConnectClient(Url, handler);
        var settings = new Dictionary<string, string> { ["database.password"] = "s3cret!", ["database.user"] = "migrator" };
        var fault = await FaultOf(() => client.PutConfigAsync("shop-source", settings, default));
        Assert.Equal((FaultKind.Configuration, "connector-refused"), (fault.Kind, fault.Code));
        Assert.Contains("Connector configuration is invalid: FATAL: password '***' is wrong", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret!", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_connector_is_a_configuration_fault_that_names_the_command_to_create_it()
    {
        using var handler = new StubHandler(HttpStatusCode.NotFound, NotFound);
        using var client = new ConnectClient(Url, handler);
        var fault = await FaultOf(() => client.GetConfigAsync("shop-source", default));
        Assert.Equal((FaultKind.Configuration, "connector-unknown"), (fault.Kind, fault.Code));
        Assert.Contains("cdcm connector register", fault.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Finding_an_unknown_connector_gives_nothing_instead_of_a_fault()
    {
        using var handler = new StubHandler(HttpStatusCode.NotFound, NotFound);
        using var client = new ConnectClient(Url, handler);
        Assert.Null(await client.FindConfigAsync("shop-source", default));
        Assert.Null(await client.FindStatusAsync("shop-source", default));
    }

    [Fact]
    public async Task Deleting_an_unknown_connector_is_no_fault()
    {
        using var handler = new StubHandler(HttpStatusCode.NotFound, NotFound);
        using var client = new ConnectClient(Url, handler);
        await client.DeleteAsync("shop-source", default);
        Assert.Equal(["DELETE /connectors/shop-source"], handler.Requests);
    }

    [Fact]
    public async Task Something_else_at_the_address_is_said_to_be_not_connect()
    {
        using var handler = new StubHandler(HttpStatusCode.NotFound, "<html>nginx</html>");
        using var client = new ConnectClient(Url, handler);
        var fault = await FaultOf(() => client.FindConfigAsync("shop-source", default));
        Assert.Equal((FaultKind.Configuration, "connect-url"), (fault.Kind, fault.Code));
    }

    [Fact]
    public async Task A_page_instead_of_json_is_said_to_be_not_connect()
    {
        using var handler = new StubHandler(HttpStatusCode.OK, "<html>hello</html>");
        using var client = new ConnectClient(Url, handler);
        Assert.Equal("connect-url", (await FaultOf(() => client.GetWorkerAsync(default))).Code);
    }

    [Fact]
    public async Task A_server_error_is_unreachable()
    {
        using var handler = new StubHandler(HttpStatusCode.InternalServerError, """{"error_code":500,"message":"Request timed out"}""");
        using var client = new ConnectClient(Url, handler);
        var fault = await FaultOf(() => client.ListConnectorsAsync(default));
        Assert.Equal((FaultKind.Unreachable, "connect-unreachable"), (fault.Kind, fault.Code));
        Assert.Contains("500: Request timed out", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_port_is_unreachable_and_names_the_setting()
    {
        using var client = new ConnectClient(new Uri("http://user:s3cret@127.0.0.1:1"));
        var fault = await FaultOf(() => client.GetWorkerAsync(default));
        Assert.Equal((FaultKind.Unreachable, "connect-unreachable"), (fault.Kind, fault.Code));
        Assert.Contains("http://127.0.0.1:1", fault.Message, StringComparison.Ordinal);
        Assert.Contains("connect.url", fault.Fix, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_answer_within_the_deadline_is_unreachable()
    {
        var time = new FakeTimeProvider();
        using var handler = new StubHandler((_, _) => new TaskCompletionSource<HttpResponseMessage>().Task);
        using var client = new ConnectClient(Url, handler, time);
        var call = client.GetWorkerAsync(default);
        time.Advance(TimeSpan.FromMinutes(3));
        var fault = await FaultOf(() => call);
        Assert.Equal(FaultKind.Unreachable, fault.Kind);
        Assert.Contains("did not answer within 100 s", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_callers_own_cancellation_stays_a_cancellation()
    {
        using var handler = new StubHandler((_, _) => new TaskCompletionSource<HttpResponseMessage>().Task);
        using var client = new ConnectClient(Url, handler);
        using var cancelled = new CancellationTokenSource();
        var call = client.GetWorkerAsync(cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task A_rebalance_is_waited_for()
    {
        var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.Zero };
        using var handler = new StubHandler((_, number) => Task.FromResult(number < 3
            ? StubHandler.Json(HttpStatusCode.Conflict, """{"error_code":409,"message":"rebalance in progress"}""")
            : StubHandler.Json(HttpStatusCode.OK, "{}")));
        using var client = new ConnectClient(Url, handler, time);
        await Finish(client.GetConfigAsync("shop-source", default), time);
        Assert.Equal(4, handler.Requests.Count);
    }

    [Fact]
    public async Task A_rebalance_without_end_is_given_up()
    {
        var time = new FakeTimeProvider();
        using var handler = new StubHandler(HttpStatusCode.Conflict, """{"error_code":409,"message":"rebalance in progress"}""");
        using var client = new ConnectClient(Url, handler, time);
        var fault = await FaultOf(() => Finish(client.GetConfigAsync("shop-source", default), time));
        Assert.Equal((FaultKind.Transient, "connect-rebalancing"), (fault.Kind, fault.Code));
    }

    [Fact]
    public async Task User_and_password_of_the_address_become_basic_authentication()
    {
        using var handler = new StubHandler(HttpStatusCode.OK, """{"version":"4.1.1","kafka_cluster_id":"abc"}""");
        using var client = new ConnectClient(new Uri("http://admin:p%40ss@connect.example:8083"), handler);
        var worker = await client.GetWorkerAsync(default);
        Assert.Equal(new ConnectWorker("4.1.1", "abc"), worker);
        Assert.Equal("Basic " + Convert.ToBase64String("admin:p@ss"u8), handler.Authorization);
    }

    [Fact]
    public async Task A_denied_request_names_where_user_and_password_go()
    {
        using var handler = new StubHandler(HttpStatusCode.Unauthorized, "");
        using var client = new ConnectClient(Url, handler);
        Assert.Equal("connect-denied", (await FaultOf(() => client.ListPluginsAsync(default))).Code);
    }

    [Fact]
    public async Task Status_tells_a_failed_task_with_its_innermost_cause()
    {
        using var handler = new StubHandler(HttpStatusCode.OK, """
            {"name":"shop-source","connector":{"state":"RUNNING","worker_id":"w:8083"},"tasks":[{"id":0,"state":"FAILED","worker_id":"w:8083",
             "trace":"org.apache.kafka.connect.errors.ConnectException: outer\n\tat x\nCaused by: java.lang.RuntimeException: middle\nCaused by: org.postgresql.util.PSQLException: slot is active\n\tat y\n"}],"type":"source"}
            """);
        using var client = new ConnectClient(Url, handler);
        var status = await client.GetStatusAsync("shop-source", default);
        Assert.False(status.IsRunning);
        Assert.Equal("org.postgresql.util.PSQLException: slot is active", status.Cause);
    }

    [Theory]
    [InlineData("""{"name":"s","connector":{"state":"RUNNING"},"tasks":[{"id":0,"state":"RUNNING"}]}""", true)]
    [InlineData("""{"name":"s","connector":{"state":"RUNNING"},"tasks":[]}""", false)]
    [InlineData("""{"name":"s","connector":{"state":"PAUSED"},"tasks":[{"id":0,"state":"PAUSED"}]}""", false)]
    public async Task Only_a_connector_with_a_running_task_runs(string body, bool running)
    {
        using var handler = new StubHandler(HttpStatusCode.OK, body);
        using var client = new ConnectClient(Url, handler);
        Assert.Equal(running, (await client.GetStatusAsync("s", default)).IsRunning);
    }

    [Fact]
    public async Task Commands_use_connects_verbs()
    {
        using var handler = new StubHandler(HttpStatusCode.Accepted, "");
        using var client = new ConnectClient(Url, handler);
        await client.PauseAsync("s", default);
        await client.ResumeAsync("s", default);
        await client.RestartAsync("s", onlyFailed: true, default);
        Assert.Equal(["PUT /connectors/s/pause", "PUT /connectors/s/resume", "POST /connectors/s/restart?includeTasks=true&onlyFailed=true"], handler.Requests);
    }

    [Fact]
    public async Task Plugins_and_offsets_are_read()
    {
        using var handler = new StubHandler((request, _) => Task.FromResult(StubHandler.Json(HttpStatusCode.OK, request.RequestUri!.AbsolutePath == "/connector-plugins"
            ? """[{"class":"io.debezium.connector.postgresql.PostgresConnector","type":"source","version":"3.5.0.Final"}]"""
            : """{"offsets":[{"partition":{"server":"shop"},"offset":{"lsn":42}}]}""")));
        using var client = new ConnectClient(Url, handler);
        Assert.Equal([new ConnectorPlugin("io.debezium.connector.postgresql.PostgresConnector", "source", "3.5.0.Final")], await client.ListPluginsAsync(default));
        Assert.Equal([new ConnectorOffset("""{"server":"shop"}""", """{"lsn":42}""")], await client.GetOffsetsAsync("s", default));
    }

    [Fact]
    public async Task A_worker_that_does_not_know_the_path_of_offsets_is_too_old_and_one_that_does_not_know_the_connector_is_not()
    {
        var message = "HTTP 404 Not Found";
        using var handler = new StubHandler((_, _) => Task.FromResult(StubHandler.Json(HttpStatusCode.NotFound, $$"""{"error_code":404,"message":"{{message}}"}""")));
        using var client = new ConnectClient(Url, handler);
        Assert.Equal("connect-too-old", (await FaultOf(() => client.GetOffsetsAsync("s", default))).Code);
        Assert.Equal("connect-too-old", (await FaultOf(() => client.FindOffsetsAsync("s", default))).Code);
        message = "Connector s not found";
        Assert.Equal("connector-unknown", (await FaultOf(() => client.GetOffsetsAsync("s", default))).Code);
        Assert.Empty(await client.FindOffsetsAsync("s", default));
    }

    private static async Task<Fault> FaultOf(Func<Task> call) => (await Assert.ThrowsAsync<FaultException>(call)).Fault;

    /// <summary>Lets the client's pauses pass until the call ends.</summary>
    private static async Task Finish(Task call, FakeTimeProvider time)
    {
        while (!call.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await call;
    }
}

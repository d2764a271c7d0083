using System.Collections.Concurrent;
using System.Net;
using CdcMigrator.Connect.Registry;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.UnitTests.Connect;

public sealed class SchemaRegistryClientTests
{
    private readonly ConcurrentDictionary<int, string> schemas = new();

    [Theory]
    [InlineData("http://registry.example:8081", "GET /schemas/ids/18")]
    [InlineData("http://registry.example:8081/", "GET /schemas/ids/18")]
    [InlineData("http://registry.example:8080/apis/ccompat/v7", "GET /apis/ccompat/v7/schemas/ids/18")]
    public async Task A_schema_is_fetched_below_the_base_address_and_handed_on(string url, string request)
    {
        using var handler = new StubHandler(HttpStatusCode.OK, """{"schema":"\"string\""}""");
        using var client = Client(handler, url);
        await client.LoadAsync(18, default);
        Assert.Equal([request], handler.Requests);
        Assert.Equal("\"string\"", schemas[18]);
    }

    [Fact]
    public async Task A_loaded_schema_is_not_fetched_again()
    {
        using var handler = new StubHandler(HttpStatusCode.OK, """{"schema":"\"string\"","schemaType":"AVRO","references":[]}""");
        using var client = Client(handler);
        await client.LoadAsync(18, default);
        await client.LoadAsync(18, default);
        Assert.Single(handler.Requests);
    }

    [Fact]
    public async Task Lanes_that_ask_at_once_share_one_fetch()
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        using var handler = new StubHandler((_, _) => answer.Task);
        using var client = Client(handler);
        var loads = Enumerable.Range(0, 8).Select(_ => client.LoadAsync(18, default)).ToList();
        answer.SetResult(StubHandler.Json(HttpStatusCode.OK, """{"schema":"\"string\""}"""));
        await Task.WhenAll(loads);
        Assert.Single(handler.Requests);
    }

    [Fact]
    public async Task One_lane_that_gives_up_does_not_fail_the_others()
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        using var handler = new StubHandler((_, _) => answer.Task);
        using var client = Client(handler);
        using var cancelled = new CancellationTokenSource();
        var impatient = client.LoadAsync(18, cancelled.Token);
        var patient = client.LoadAsync(18, default);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        answer.SetResult(StubHandler.Json(HttpStatusCode.OK, """{"schema":"\"string\""}"""));
        await patient;
        Assert.Single(handler.Requests);
    }

    [Fact]
    public async Task An_unknown_id_is_poison_and_is_asked_for_again_later()
    {
        using var handler = new StubHandler((_, number) => Task.FromResult(number == 0
            ? StubHandler.Json(HttpStatusCode.NotFound, """{"error_code":40403,"message":"Schema 18 not found"}""")
            : StubHandler.Json(HttpStatusCode.OK, """{"schema":"\"string\""}""")));
        using var client = Client(handler);
        var fault = await FaultOf(client);
        Assert.Equal((FaultKind.Poison, "unknown-schema"), (fault.Kind, fault.Code));
        await client.LoadAsync(18, default);
        Assert.True(schemas.ContainsKey(18));
    }

    [Theory]
    [InlineData("""{"schema":"{}","schemaType":"PROTOBUF"}""", "schema-type")]
    [InlineData("""{"schema":"{}","references":[{"name":"a","subject":"b","version":1}]}""", "schema-references")]
    [InlineData("""{"hello":1}""", "schema-answer")]
    [InlineData("<html>", "schema-answer")]
    public async Task What_cannot_be_used_is_poison_by_name(string body, string code)
    {
        using var handler = new StubHandler(HttpStatusCode.OK, body);
        using var client = Client(handler);
        var fault = await FaultOf(client);
        Assert.Equal((FaultKind.Poison, code), (fault.Kind, fault.Code));
        Assert.Empty(schemas);
    }

    [Fact]
    public async Task A_closed_port_is_unreachable_and_names_the_setting()
    {
        using var client = new SchemaRegistryClient(new Uri("http://127.0.0.1:1"), (id, schema) => schemas[id] = schema);
        var fault = await FaultOf(client);
        Assert.Equal((FaultKind.Unreachable, "registry-unreachable"), (fault.Kind, fault.Code));
        Assert.Contains("log.schemaRegistry", fault.Fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable, FaultKind.Unreachable)]
    [InlineData(HttpStatusCode.Unauthorized, FaultKind.Configuration)]
    public async Task A_registry_that_is_down_is_unreachable_and_one_that_denies_is_configuration(HttpStatusCode status, FaultKind kind)
    {
        using var handler = new StubHandler(status, "");
        using var client = Client(handler);
        Assert.Equal(kind, (await FaultOf(client)).Kind);
    }

    private SchemaRegistryClient Client(HttpMessageHandler handler, string url = "http://registry.example:8081") => new(new Uri(url), (id, schema) => schemas[id] = schema, handler);

    private static async Task<Fault> FaultOf(SchemaRegistryClient client) => (await Assert.ThrowsAsync<FaultException>(() => client.LoadAsync(18, default))).Fault;
}

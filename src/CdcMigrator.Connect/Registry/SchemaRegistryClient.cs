using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using CdcMigrator.Connect.Http;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Connect.Registry;

/// <summary>
/// Loads writer schemas from a Confluent-compatible registry: <c>GET {base}/schemas/ids/{id}</c>, where the base is Confluent's root or
/// Apicurio's <c>/apis/ccompat/v7</c>. Thread-safe; an id is fetched once however many lanes ask, and again only after a failure.
/// </summary>
public sealed class SchemaRegistryClient : ISchemaLoader, IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<int, Lazy<Task>> loads = new();
    private readonly HttpEndpoint endpoint;
    private readonly Action<int, string> add;

    /// <summary>Reads from <paramref name="url"/> (<c>user:password@</c> becomes basic authentication) and hands each schema to <paramref name="add"/> before its load ends.</summary>
    public SchemaRegistryClient(Uri url, Action<int, string> add, HttpMessageHandler? handler = null, TimeProvider? time = null)
    {
        this.add = add;
        endpoint = new HttpEndpoint("The schema registry", "registry-unreachable", "log.schemaRegistry", url, handler, RequestTimeout, time ?? TimeProvider.System);
    }

    /// <inheritdoc />
    public async Task LoadAsync(int schemaId, CancellationToken cancellationToken)
    {
        // The fetch is shared and has its own deadline, so one caller that gives up does not fail the others.
        var load = loads.GetOrAdd(schemaId, id => new Lazy<Task>(() => FetchAsync(id)));
        try
        {
            await load.Value.WaitAsync(cancellationToken);
        }
        catch (Exception) when (load.Value.IsFaulted)
        {
            loads.TryRemove(KeyValuePair.Create(schemaId, load));
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose() => endpoint.Dispose();

    private async Task FetchAsync(int id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint.AddressOf(string.Create(CultureInfo.InvariantCulture, $"/schemas/ids/{id}")));
        var (status, text) = await endpoint.SendAsync(request, CancellationToken.None);
        using var body = HttpEndpoint.TryParse(text);
        if (status == HttpStatusCode.NotFound)
        {
            throw Poison(
                "unknown-schema",
                $"The schema registry at {endpoint.Shown} does not know schema {id}",
                "Check that log.schemaRegistry is the registry the connector's converter writes to (Apicurio: …/apis/ccompat/v7) and that it has kept its schemas");
        }

        if (status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new FaultException(
                FaultKind.Configuration,
                "registry-denied",
                $"The schema registry at {endpoint.Shown} refused the request ({(int)status})",
                "Put user and password into log.schemaRegistry: http://user:password@host:8081");
        }

        if (status != HttpStatusCode.OK)
        {
            throw endpoint.Unreachable($"answered {(int)status} for schema {id}");
        }

        add(id, Avro(id, body?.RootElement ?? default));
    }

    private string Avro(int id, JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("schema", out var schema) || schema.GetString() is not { } text)
        {
            throw Poison("schema-answer", $"What {endpoint.Shown} answered for schema {id} is no registry's answer", "Set log.schemaRegistry to a Confluent-compatible registry");
        }

        if (body.TryGetProperty("schemaType", out var type) && type.GetString() is { Length: > 0 } name && name != "AVRO")
        {
            throw Poison("schema-type", $"Schema {id} of {endpoint.Shown} is {name}, not AVRO", "Let the connector write Avro or JSON: see connectors/README.md");
        }

        if (body.TryGetProperty("references", out var references) && references.ValueKind == JsonValueKind.Array && references.GetArrayLength() > 0)
        {
            throw Poison("schema-references", $"Schema {id} of {endpoint.Shown} refers to other schemas, which is not supported", "Let the converter register whole schemas, as Debezium's does by itself");
        }

        return text;
    }

    private static FaultException Poison(string code, string message, string fix) => new(FaultKind.Poison, code, message, fix);
}

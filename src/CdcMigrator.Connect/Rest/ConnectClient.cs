using System.Text.Json;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Connect.Rest;

/// <summary>
/// Kafka Connect's REST API. Thread-safe. While the workers rebalance (409) a call is repeated for up to half a minute; nothing else is.
/// Every failure is a <see cref="FaultException"/>: Unreachable (closed port, timeout, 5xx), Transient (still rebalancing),
/// Configuration (refused settings, unknown connector, not Connect at all). Messages never show secrets of the settings sent.
/// </summary>
public sealed class ConnectClient : IDisposable
{
    private readonly ConnectTransport transport;

    /// <summary>Talks to the worker at <paramref name="url"/>; <c>user:password@</c> in it becomes basic authentication. The handler is not disposed.</summary>
    public ConnectClient(Uri url, HttpMessageHandler? handler = null, TimeProvider? time = null) =>
        transport = new ConnectTransport(url, handler, time ?? TimeProvider.System);

    /// <summary>Who answers.</summary>
    public async Task<ConnectWorker> GetWorkerAsync(CancellationToken cancellationToken)
    {
        using var answer = await transport.SendAsync(HttpMethod.Get, "/", null, cancellationToken);
        var root = transport.Expect(answer);
        return new ConnectWorker(Text(root, "version"), Text(root, "kafka_cluster_id"));
    }

    /// <summary>Connector classes installed on the worker.</summary>
    public async Task<IReadOnlyList<ConnectorPlugin>> ListPluginsAsync(CancellationToken cancellationToken)
    {
        using var answer = await transport.SendAsync(HttpMethod.Get, "/connector-plugins", null, cancellationToken);
        return [.. transport.Expect(answer).EnumerateArray().Select(plugin => new ConnectorPlugin(Text(plugin, "class"), Text(plugin, "type"), Text(plugin, "version")))];
    }

    /// <summary>Names of all connectors.</summary>
    public async Task<IReadOnlyList<string>> ListConnectorsAsync(CancellationToken cancellationToken)
    {
        using var answer = await transport.SendAsync(HttpMethod.Get, "/connectors", null, cancellationToken);
        return [.. transport.Expect(answer).EnumerateArray().Select(name => name.GetString() ?? "")];
    }

    /// <summary>A connector's settings as they are in force, secrets included; null where Connect does not know the connector.</summary>
    public async Task<IReadOnlyDictionary<string, string>?> FindConfigAsync(string connector, CancellationToken cancellationToken)
    {
        using var answer = await transport.SendAsync(HttpMethod.Get, $"{PathOf(connector)}/config", null, cancellationToken);
        return answer.IsUnknownConnector ? null : ReadSettings(transport.Expect(answer));
    }

    /// <summary>A connector's settings as they are in force, secrets included.</summary>
    /// <exception cref="FaultException">Configuration <c>connector-unknown</c>: Connect does not know the connector.</exception>
    public async Task<IReadOnlyDictionary<string, string>> GetConfigAsync(string connector, CancellationToken cancellationToken) =>
        await FindConfigAsync(connector, cancellationToken) ?? throw transport.Unknown(connector);

    /// <summary>
    /// Creates the connector or replaces its settings. Idempotent. Connect has validated the settings when this returns (it connects to the
    /// source for that, so it may take a minute), but the tasks have not started yet: see <see cref="GetStatusAsync"/>.
    /// </summary>
    /// <exception cref="FaultException">Configuration <c>connector-refused</c>, with Connect's reasons.</exception>
    public async Task PutConfigAsync(string connector, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        using var answer = await transport.SendAsync(HttpMethod.Put, $"{PathOf(connector)}/config", settings, cancellationToken);
        transport.Expect(answer);
    }

    /// <summary>Deletes the connector; stored offsets and the source's slot stay. Idempotent: an unknown connector is no fault.</summary>
    public async Task DeleteAsync(string connector, CancellationToken cancellationToken)
    {
        using var answer = await transport.SendAsync(HttpMethod.Delete, PathOf(connector), null, cancellationToken);
        if (!answer.IsUnknownConnector)
        {
            transport.Expect(answer);
        }
    }

    /// <summary>State of the connector and its tasks.</summary>
    /// <exception cref="FaultException">Configuration <c>connector-unknown</c>; also for a moment after it was created.</exception>
    public async Task<ConnectorStatus> GetStatusAsync(string connector, CancellationToken cancellationToken) =>
        await FindStatusAsync(connector, cancellationToken) ?? throw transport.Unknown(connector);

    /// <summary>State of the connector and its tasks; null where Connect knows none (yet).</summary>
    public async Task<ConnectorStatus?> FindStatusAsync(string connector, CancellationToken cancellationToken)
    {
        using var answer = await transport.SendAsync(HttpMethod.Get, $"{PathOf(connector)}/status", null, cancellationToken);
        return answer.IsUnknownConnector ? null : ReadStatus(transport.Expect(answer));
    }

    /// <summary>Restarts the connector and its tasks, or only what has failed.</summary>
    public Task RestartAsync(string connector, bool onlyFailed, CancellationToken cancellationToken) =>
        CommandAsync(HttpMethod.Post, connector, $"/restart?includeTasks=true&onlyFailed={(onlyFailed ? "true" : "false")}", cancellationToken);

    /// <summary>Pauses reading. The slot keeps its place, so the source keeps its WAL. Idempotent; takes effect after it returns.</summary>
    public Task PauseAsync(string connector, CancellationToken cancellationToken) => CommandAsync(HttpMethod.Put, connector, "/pause", cancellationToken);

    /// <summary>Ends a pause or a stop. Idempotent; takes effect after it returns.</summary>
    public Task ResumeAsync(string connector, CancellationToken cancellationToken) => CommandAsync(HttpMethod.Put, connector, "/resume", cancellationToken);

    /// <summary>Offsets stored for the connector; empty where it has stored none yet.</summary>
    /// <exception cref="FaultException">Configuration <c>connector-unknown</c>, also for a moment after it was created; <c>connect-too-old</c>: it needs Connect 3.6 or newer (KIP-875).</exception>
    public async Task<IReadOnlyList<ConnectorOffset>> GetOffsetsAsync(string connector, CancellationToken cancellationToken) =>
        await ReadOffsetsAsync(connector, cancellationToken) ?? throw transport.Unknown(connector);

    /// <summary>The same; empty also where Connect knows no such connector (yet).</summary>
    public async Task<IReadOnlyList<ConnectorOffset>> FindOffsetsAsync(string connector, CancellationToken cancellationToken) =>
        await ReadOffsetsAsync(connector, cancellationToken) ?? [];

    private async Task<IReadOnlyList<ConnectorOffset>?> ReadOffsetsAsync(string connector, CancellationToken cancellationToken)
    {
        using var answer = await transport.SendAsync(HttpMethod.Get, $"{PathOf(connector)}/offsets", null, cancellationToken);
        if (answer.IsUnknownPath)
        {
            throw transport.TooOld("does not tell the offsets it stores", "3.6");
        }

        return answer.IsUnknownConnector ? null : [.. transport.Expect(answer).GetProperty("offsets").EnumerateArray()
            .Select(entry => new ConnectorOffset(entry.GetProperty("partition").GetRawText(), entry.GetProperty("offset").GetRawText()))];
    }

    /// <inheritdoc />
    public void Dispose() => transport.Dispose();

    private async Task CommandAsync(HttpMethod method, string connector, string verb, CancellationToken cancellationToken)
    {
        using var answer = await transport.SendAsync(method, PathOf(connector) + verb, null, cancellationToken);
        if (answer.IsUnknownConnector)
        {
            throw transport.Unknown(connector);
        }

        transport.Expect(answer);
    }

    private static string PathOf(string connector)
    {
        ArgumentException.ThrowIfNullOrEmpty(connector);
        return $"/connectors/{Uri.EscapeDataString(connector)}";
    }

    private static OrderedDictionary<string, string> ReadSettings(JsonElement root)
    {
        var settings = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var setting in root.EnumerateObject())
        {
            settings[setting.Name] = setting.Value.ValueKind == JsonValueKind.String ? setting.Value.GetString()! : setting.Value.GetRawText();
        }

        return settings;
    }

    private static ConnectorStatus ReadStatus(JsonElement root)
    {
        var connector = root.GetProperty("connector");
        return new ConnectorStatus(
            Text(root, "name"),
            Text(connector, "state"),
            Text(connector, "worker_id"),
            [.. root.GetProperty("tasks").EnumerateArray()
                .Select(task => new ConnectorTask(task.GetProperty("id").GetInt32(), Text(task, "state"), Text(task, "worker_id"), Text(task, "trace")))])
        {
            Trace = Text(connector, "trace"),
        };
    }

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}

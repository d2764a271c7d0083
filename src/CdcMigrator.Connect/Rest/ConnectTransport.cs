using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CdcMigrator.Connect.Http;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Connect.Rest;

/// <summary>Sends one request, waits rebalances out, and turns what went wrong into faults.</summary>
internal sealed class ConnectTransport : IDisposable
{
    /// <summary>Longer than Connect's own 90 s for validating settings against a slow source.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(100);

    private static readonly TimeSpan RebalancePatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RebalancePause = TimeSpan.FromMilliseconds(500);
    private static readonly Dictionary<string, string> NoSettings = [];

    private readonly HttpEndpoint endpoint;
    private readonly TimeProvider time;

    public ConnectTransport(Uri url, HttpMessageHandler? handler, TimeProvider time)
    {
        this.time = time;
        endpoint = new HttpEndpoint("Kafka Connect", "connect-unreachable", "connect.url", url, handler, RequestTimeout, time);
    }

    public async Task<ConnectAnswer> SendAsync(HttpMethod method, string path, IReadOnlyDictionary<string, string>? settings, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var answer = await SendOnceAsync(method, path, settings, cancellationToken);
            if (answer.Status != HttpStatusCode.Conflict)
            {
                return answer;
            }

            using (answer)
            {
                if (time.GetElapsedTime(started) >= RebalancePatience)
                {
                    throw new FaultException(
                        FaultKind.Transient,
                        "connect-rebalancing",
                        $"Kafka Connect at {endpoint.Shown} has been rebalancing for {RebalancePatience.TotalSeconds:0} s: {answer.Message ?? answer.Text}",
                        "Repeat the command; if it goes on, look for a worker that restarts in Connect's log");
                }
            }

            await Task.Delay(RebalancePause, time, cancellationToken);
        }
    }

    /// <summary>The body of a success; a fault for anything else.</summary>
    public JsonElement Expect(ConnectAnswer answer)
    {
        if (answer.Status is HttpStatusCode.NoContent or HttpStatusCode.Accepted)
        {
            return default;
        }

        if ((int)answer.Status is >= 200 and < 300)
        {
            return answer.Body?.RootElement ?? throw NotConnect(answer);
        }

        throw answer.Status switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new FaultException(
                FaultKind.Configuration,
                "connect-denied",
                $"Kafka Connect at {endpoint.Shown} refused the request ({(int)answer.Status})",
                "Put user and password into connect.url: http://user:password@host:8083"),
            >= HttpStatusCode.InternalServerError => endpoint.Unreachable($"answered {(int)answer.Status}: {Shorten(answer.Message ?? answer.Text)}"),
            _ when answer.Message is { } message => new FaultException(
                FaultKind.Configuration,
                "connector-refused",
                $"Kafka Connect refused the connector: {message.ReplaceLineEndings(" ").Trim()}",
                "Mend what it names in the migration file or the connector's settings, then repeat the command"),
            _ => NotConnect(answer),
        };
    }

    public FaultException Unknown(string connector) => new(
        FaultKind.Configuration,
        "connector-unknown",
        $"Kafka Connect at {endpoint.Shown} has no connector '{connector}'",
        "Create it with 'cdcm connector register -f FILE', or name the existing one in connect.connector");

    public FaultException TooOld(string what, string version) => new(
        FaultKind.Configuration,
        "connect-too-old",
        $"Kafka Connect at {endpoint.Shown} {what}",
        $"Let a worker of Kafka Connect {version} or newer run the connector");

    public void Dispose() => endpoint.Dispose();

    private async Task<ConnectAnswer> SendOnceAsync(HttpMethod method, string path, IReadOnlyDictionary<string, string>? settings, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, endpoint.AddressOf(path));
        if (settings is not null)
        {
            request.Content = JsonContent.Create(settings);
        }

        var (status, text) = await endpoint.SendAsync(request, cancellationToken);
        return new ConnectAnswer(status, HttpEndpoint.TryParse(text), text, settings ?? NoSettings);
    }

    private FaultException NotConnect(ConnectAnswer answer) => new(
        FaultKind.Configuration,
        "connect-url",
        $"What answers at {endpoint.Shown} is not Kafka Connect ({(int)answer.Status}: {Shorten(answer.Text)})",
        "Set connect.url to the REST address of a Connect worker, as in http://host:8083");

    private static string Shorten(string text)
    {
        var line = text.ReplaceLineEndings(" ").Trim();
        return line.Length <= 200 ? line : line[..200] + "…";
    }
}

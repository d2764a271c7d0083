using System.Net;
using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli;

/// <summary>Asks a running service. What it cannot get is a fault that names the address.</summary>
internal sealed class ServiceClient : IDisposable
{
    private readonly Uri server;
    private readonly HttpClient http;

    public ServiceClient(Uri server, TimeSpan timeout)
    {
        this.server = server;
        http = new HttpClient { BaseAddress = server.AbsolutePath.EndsWith('/') ? server : new Uri($"{server}/"), Timeout = timeout };
    }

    /// <summary>The body of an answer and the answer itself.</summary>
    /// <exception cref="FaultException">Unreachable: nobody answers, or not a cdcm service. Else what the service says.</exception>
    public Task<(T Value, string Json)> GetAsync<T>(string path, CancellationToken cancellationToken) => ReadAsync<T>(path, HttpMethod.Get, null, cancellationToken);

    /// <summary>Asks the service to do something; the body of its answer.</summary>
    /// <exception cref="FaultException">As for reading. Where nobody answered in time, it may have been done all the same.</exception>
    public async Task<T> PostAsync<T>(string path, object request, CancellationToken cancellationToken) =>
        (await ReadAsync<T>(path, HttpMethod.Post, JsonSerializer.Serialize(request, ApiJson.Options), cancellationToken)).Value;

    private async Task<(T Value, string Json)> ReadAsync<T>(string path, HttpMethod method, string? request, CancellationToken cancellationToken)
    {
        var (status, body) = await SendAsync(path, method, request, cancellationToken);
        if (status != HttpStatusCode.OK)
        {
            throw Refused(path, status, body);
        }

        try
        {
            return (JsonSerializer.Deserialize<T>(body, ApiJson.Options) ?? throw new JsonException("null"), body);
        }
        catch (JsonException e)
        {
            throw NotOurs(path, e.Message, e);
        }
    }

    /// <summary>Status code and body, whatever they are.</summary>
    public Task<(HttpStatusCode Status, string Body)> SendAsync(string path, CancellationToken cancellationToken) => SendAsync(path, HttpMethod.Get, null, cancellationToken);

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(string path, HttpMethod method, string? request, CancellationToken cancellationToken)
    {
        try
        {
            using var message = new HttpRequestMessage(method, new Uri(path.TrimStart('/'), UriKind.Relative));
            message.Content = request is null ? null : new StringContent(request, System.Text.Encoding.UTF8, "application/json");
            using var response = await http.SendAsync(message, cancellationToken);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new FaultException(
                FaultKind.Unreachable,
                "service-unreachable",
                $"no cdcm service answers at {Shown}: {(e is TaskCanceledException ? $"timeout after {http.Timeout.TotalSeconds:0.#} s" : e.InnerException?.Message ?? e.Message)}",
                "Start it with 'cdcm run -f FILE', or name its address with --server or CDCM_SERVER",
                e);
        }
    }

    public void Dispose() => http.Dispose();

    private string Shown => server.GetLeftPart(UriPartial.Authority);

    private FaultException Refused(string path, HttpStatusCode status, string body)
    {
        try
        {
            if (JsonSerializer.Deserialize<FaultReport>(body, ApiJson.Options) is { Code: not null, Message: not null } fault)
            {
                return new FaultException(fault.Kind, fault.Code, fault.Message, fault.Fix ?? "");
            }
        }
        catch (JsonException)
        {
            // Not a fault of ours, then.
        }

        return NotOurs(path, $"status {(int)status}", null);
    }

    private FaultException NotOurs(string path, string why, Exception? inner) => new(
        FaultKind.Unreachable,
        "not-a-cdcm-service",
        $"{Shown}{path} is not the answer of a cdcm service: {why}",
        "Name the service's address with --server or CDCM_SERVER; it is service.url of its migration file",
        inner);
}

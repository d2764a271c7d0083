using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Connect.Http;

/// <summary>A base address that answers JSON: basic authentication from the address, a deadline for each request, one kind of fault.</summary>
internal sealed class HttpEndpoint : IDisposable
{
    private readonly HttpClient http;
    private readonly string what;
    private readonly string code;
    private readonly string setting;
    private readonly Uri root;
    private readonly TimeSpan timeout;
    private readonly TimeProvider time;

    public HttpEndpoint(string what, string code, string setting, Uri url, HttpMessageHandler? handler, TimeSpan timeout, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(url);
        (this.what, this.code, this.setting, this.timeout, this.time) = (what, code, setting, timeout, time);
        root = new UriBuilder(url) { UserName = "", Password = "", Query = "", Fragment = "" }.Uri;
        http = handler is null ? new HttpClient() : new HttpClient(handler, disposeHandler: false);
        http.Timeout = Timeout.InfiniteTimeSpan;
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (url.UserInfo.Length > 0)
        {
            var credentials = Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo));
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(credentials));
        }
    }

    /// <summary>The address without user and password, for messages.</summary>
    public string Shown => root.ToString().TrimEnd('/');

    public Uri AddressOf(string path) => new(Shown + path);

    /// <summary>Status and body. Throws Unreachable where no answer came.</summary>
    public async Task<(HttpStatusCode Status, string Text)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            using var response = await http.SendAsync(request, either.Token);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(either.Token));
        }
        catch (HttpRequestException failure)
        {
            throw Unreachable($"does not answer: {failure.Message}", failure);
        }
        catch (OperationCanceledException cancelled) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Unreachable($"did not answer within {timeout.TotalSeconds:0} s", cancelled);
        }
    }

    public FaultException Unreachable(string how, Exception? inner = null) => new(
        FaultKind.Unreachable, code, $"{what} at {Shown} {how}", $"Check that it runs and that {setting} is its address", inner);

    /// <summary>The text as JSON; null where it is none.</summary>
    public static JsonDocument? TryParse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Dispose() => http.Dispose();
}

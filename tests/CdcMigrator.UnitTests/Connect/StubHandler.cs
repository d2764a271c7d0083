using System.Net;
using System.Text;

namespace CdcMigrator.UnitTests.Connect;

/// <summary>Answers requests from memory and keeps what was asked.</summary>
internal sealed class StubHandler(Func<HttpRequestMessage, int, Task<HttpResponseMessage>> answer) : HttpMessageHandler
{
    private readonly List<string> requests = [];
    private readonly List<string> bodies = [];

    public StubHandler(HttpStatusCode status, string body)
        : this((_, _) => Task.FromResult(Json(status, body)))
    {
    }

    /// <summary>Method and path with query, in order.</summary>
    public IReadOnlyList<string> Requests => requests;

    /// <summary>Bodies sent; empty for none.</summary>
    public IReadOnlyList<string> Bodies => bodies;

    public string? Authorization { get; private set; }

    public static HttpResponseMessage Json(HttpStatusCode status, string body) => new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        int number;
        lock (requests)
        {
            number = requests.Count;
            requests.Add($"{request.Method} {request.RequestUri!.PathAndQuery}");
        }

        Authorization = request.Headers.Authorization?.ToString();
        bodies.Add(request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
        return await answer(request, number).WaitAsync(cancellationToken);
    }
}

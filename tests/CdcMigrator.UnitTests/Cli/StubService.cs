using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CdcMigrator.Service.Api;

namespace CdcMigrator.UnitTests.Cli;

/// <summary>A service that gives prepared answers, one connection a request.</summary>
internal sealed class StubService : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, (HttpStatusCode Status, string Body)?> answer;
    private readonly Task answering;

    /// <param name="answer">By "METHOD /path"; null closes the connection without a word. Asked one request at a time.</param>
    public StubService(Func<string, (HttpStatusCode Status, string Body)?> answer)
    {
        this.answer = answer;
        listener.Start();
        Address = new Uri($"http://{listener.LocalEndpoint}");
        answering = AnswerAsync();
    }

    public Uri Address { get; }

    public static (HttpStatusCode Status, string Body) Ok<T>(T body) => (HttpStatusCode.OK, JsonSerializer.Serialize(body, ApiJson.Options));

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await answering;
    }

    private async Task AnswerAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await listener.AcceptTcpClientAsync();
            }
            catch (Exception exception) when (exception is SocketException or InvalidOperationException)
            {
                return;
            }

            using (client)
            {
                try
                {
                    await AnswerAsync(client);
                }
                catch (IOException)
                {
                    // Who asked went away.
                }
            }
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, leaveOpen: true);
        var request = await reader.ReadLineAsync() ?? "";
        var length = 0;
        while (await reader.ReadLineAsync() is { Length: > 0 } header)
        {
            length = header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase) ? int.Parse(header.AsSpan(15), System.Globalization.CultureInfo.InvariantCulture) : length;
        }

        // Without a body there is nothing to wait for.
        await (length > 0 ? reader.ReadBlockAsync(new char[length]).AsTask() : Task.CompletedTask);
        if (answer(request.Replace(" HTTP/1.1", "", StringComparison.Ordinal)) is not var (status, body))
        {
            return;
        }

        var bytes = Encoding.UTF8.GetBytes(body);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {(int)status} X\r\nContent-Type: application/json\r\nContent-Length: {bytes.Length}\r\nConnection: close\r\n\r\n"));
        await stream.WriteAsync(bytes);
    }
}

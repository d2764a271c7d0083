using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>
/// A relay in front of a server. Once told it goes on handing over what clients send, and keeps every answer back: the server does its
/// work, and its client does not hear of it.
/// </summary>
internal sealed class LostAnswers : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly string host;
    private readonly int port;
    private readonly List<Socket> open = [];
    private readonly Task accepting;
    private volatile string? from;
    private volatile bool losing;

    /// <param name="connectionString">The server's.</param>
    public LostAnswers(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        (host, port) = (server.Host!, server.Port);
        listener.Start();
        server.Host = "127.0.0.1";
        server.Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        server.SslMode = SslMode.Disable;
        ConnectionString = server.ConnectionString;
        accepting = AcceptAsync();
    }

    /// <summary>Leads through the relay.</summary>
    public string ConnectionString { get; }

    /// <summary>Keeps answers back from the next message on that holds this text.</summary>
    public void LoseFrom(string text) => from = text;

    /// <summary>Ends all connections. Those made from then on are answered.</summary>
    public void Cut()
    {
        from = null;
        lock (open)
        {
            open.ForEach(socket => socket.Dispose());
            open.Clear();
        }

        losing = false;
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        listener.Dispose();
        await accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync();
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                client.NoDelay = true;
                lock (open)
                {
                    open.Add(client);
                    open.Add(server);
                }

                await server.ConnectAsync(host, port);
                _ = RelayAsync(client, server, asked: true);
                _ = RelayAsync(server, client, asked: false);
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task RelayAsync(Socket source, Socket sink, bool asked)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await source.ReceiveAsync(buffer) is > 0 and var read)
            {
                if (asked && from is { } text && buffer.AsSpan(0, read).IndexOf(Encoding.UTF8.GetBytes(text)) >= 0)
                {
                    losing = true;
                }

                if (asked || !losing)
                {
                    await sink.SendAsync(buffer.AsMemory(0, read));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }

        sink.Dispose();
    }
}

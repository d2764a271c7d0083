using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CdcMigrator.TestKit.Databases;

/// <summary>
/// A way to a PostgreSQL server that is cut at a statement, as by a process or a network that dies there: before it, so that the server never gets it, or behind it, so that
/// it was done and nobody learns of it. Or it falls silent, as a server that is stopped: connections are taken, and nothing comes back.
/// </summary>
public sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly List<Cut> cuts = [];
    private TaskCompletionSource? silence;
    private int held;
    private readonly int server;
    private readonly Task accepting;

    /// <summary>Begins to listen.</summary>
    /// <param name="server">Port of the server on 127.0.0.1.</param>
    public CuttingProxy(int server)
    {
        this.server = server;
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>Port it listens on.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Whether every cut that was asked for was made.</summary>
    public bool Done
    {
        get
        {
            lock (gate)
            {
                return cuts.Count == 0;
            }
        }
    }

    /// <summary>How often a session waited since <see cref="Stall"/>: for an answer, or to be taken.</summary>
    public int Held => Volatile.Read(ref held);

    /// <summary>Carries nothing any more, in either direction, of sessions that are there and of those that come.</summary>
    public void Stall()
    {
        lock (gate)
        {
            held = 0;
            silence ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Goes on with what was held up.</summary>
    public void Resume()
    {
        lock (gate)
        {
            silence?.SetResult();
            silence = null;
        }
    }

    /// <summary>Cuts the first session that sends texts one after another, at the last of them; once.</summary>
    public void CutAt(bool behind, params string[] statements)
    {
        lock (gate)
        {
            cuts.Add(new Cut(behind, statements));
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(stop.Token);
                _ = CarryAsync(client);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
            {
                return;
            }
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using (client)
        using (var upstream = new TcpClient())
        {
            try
            {
                await upstream.ConnectAsync(IPAddress.Loopback, server, stop.Token);
                client.NoDelay = upstream.NoDelay = true;
                var session = new Session();
                await Task.WhenAny(SendAsync(session, client.GetStream(), upstream.GetStream()), AnswerAsync(session, upstream.GetStream(), client.GetStream()));
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
            {
                // One end is gone, and the other goes with it.
            }
        }
    }

    private async Task SendAsync(Session session, NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, stop.Token)) > 0)
        {
            var cut = Next(session, Encoding.Latin1.GetString(buffer, 0, read));
            if (cut is { Behind: false })
            {
                return;
            }

            session.EndsWithAnswer |= cut is not null;
            await WhileSilentAsync();
            await to.WriteAsync(buffer.AsMemory(0, read), stop.Token);
        }
    }

    /// <summary>Carries answers; behind a cut, none: the session ends when the server is ready for the next statement.</summary>
    private async Task AnswerAsync(Session session, NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, stop.Token)) > 0)
        {
            await WhileSilentAsync();
            if (!session.EndsWithAnswer)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), stop.Token);
            }
            else if (read >= 6 && buffer[read - 6] == (byte)'Z' && buffer[read - 2] == 5)
            {
                return;
            }
        }
    }

    private async Task WhileSilentAsync()
    {
        Task? over;
        lock (gate)
        {
            over = silence?.Task;
            held += over is null ? 0 : 1;
        }

        await (over?.WaitAsync(stop.Token) ?? Task.CompletedTask);
    }

    /// <summary>The cut that is to be made at what a session sends.</summary>
    private Cut? Next(Session session, string sent)
    {
        lock (gate)
        {
            foreach (var cut in cuts)
            {
                var seen = session.Seen.GetValueOrDefault(cut);
                while (seen < cut.Statements.Count && sent.Contains(cut.Statements[seen], StringComparison.OrdinalIgnoreCase))
                {
                    seen++;
                }

                session.Seen[cut] = seen;
                if (seen == cut.Statements.Count)
                {
                    cuts.Remove(cut);
                    return cut;
                }
            }

            return null;
        }
    }

    private sealed class Cut(bool behind, IReadOnlyList<string> statements)
    {
        public bool Behind => behind;

        public IReadOnlyList<string> Statements => statements;
    }

    private sealed class Session
    {
        public Dictionary<Cut, int> Seen { get; } = [];

        public volatile bool EndsWithAnswer;
    }
}

using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Npgsql;

namespace CdcMigrator.Postgres.Routing;

/// <summary>Messages of PostgreSQL's protocol over a socket, with or without TLS. One caller at a time.</summary>
internal sealed class ConsoleWire : IAsyncDisposable
{
    private const int SslRequest = 80877103;
    private const int LongestMessage = 16 << 20;
    private Stream stream;

    private ConsoleWire(Stream stream) => this.stream = stream;

    /// <summary>Connects, and encrypts where the connection string and the server want it.</summary>
    /// <exception cref="IOException">The server has no TLS though it is required, or breaks off.</exception>
    /// <exception cref="SocketException">Nobody answers.</exception>
    public static async Task<ConsoleWire> ConnectAsync(NpgsqlConnectionStringBuilder address, CancellationToken cancellationToken)
    {
        var local = address.Host!.StartsWith('/');
        var socket = local ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var wire = new ConsoleWire(Stream.Null);
        try
        {
            await (local
                ? socket.ConnectAsync(new UnixDomainSocketEndPoint($"{address.Host}/.s.PGSQL.{address.Port}"), cancellationToken)
                : socket.ConnectAsync(address.Host, address.Port, cancellationToken));
            wire.stream = new NetworkStream(socket, ownsSocket: true);
            if (!local && address.SslMode != SslMode.Disable)
            {
                await wire.EncryptAsync(address, cancellationToken);
            }

            return wire;
        }
        catch
        {
            await wire.DisposeAsync();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends the first message, which has no type.</summary>
    public Task StartAsync(IEnumerable<KeyValuePair<string, string>> parameters, CancellationToken cancellationToken)
    {
        var body = new List<byte> { 0, 3, 0, 0 };
        foreach (var (name, value) in parameters)
        {
            body.AddRange(Text(name));
            body.AddRange(Text(value));
        }

        body.Add(0);
        return SendAsync(null, [.. body], cancellationToken);
    }

    /// <summary>Sends a message.</summary>
    public Task SendAsync(char type, byte[] body, CancellationToken cancellationToken) => SendAsync((char?)type, body, cancellationToken);

    /// <summary>The next message.</summary>
    /// <exception cref="IOException">The server broke off, or does not speak the protocol.</exception>
    public async Task<(char Type, byte[] Body)> ReceiveAsync(CancellationToken cancellationToken)
    {
        var head = new byte[5];
        await stream.ReadExactlyAsync(head, cancellationToken);
        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4;
        if (length is < 0 or > LongestMessage)
        {
            throw new IOException("what answers does not speak PostgreSQL's protocol");
        }

        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellationToken);
        return ((char)head[0], body);
    }

    /// <summary>A text with the zero behind it.</summary>
    public static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private async Task SendAsync(char? type, byte[] body, CancellationToken cancellationToken)
    {
        var head = type is null ? 0 : 1;
        var message = new byte[head + 4 + body.Length];
        if (type is { } letter)
        {
            message[0] = (byte)letter;
        }

        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(head), body.Length + 4);
        body.CopyTo(message, head + 4);
        await stream.WriteAsync(message, cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    private async Task EncryptAsync(NpgsqlConnectionStringBuilder address, CancellationToken cancellationToken)
    {
        var request = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(request, SslRequest);
        await SendAsync(null, request, cancellationToken);
        var answer = new byte[1];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        if (answer[0] != 'S')
        {
            if (address.SslMode is SslMode.Require or SslMode.VerifyCA or SslMode.VerifyFull)
            {
                throw new IOException($"PgBouncer offers no TLS, but the connection string has SSL Mode={address.SslMode}");
            }

            return;
        }

        var encrypted = new SslStream(stream);
        stream = encrypted;
        await encrypted.AuthenticateAsClientAsync(Options(address), cancellationToken);
    }

    private static SslClientAuthenticationOptions Options(NpgsqlConnectionStringBuilder address)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = address.Host,
            RemoteCertificateValidationCallback = (_, _, _, errors) => address.SslMode switch
            {
                SslMode.VerifyFull => errors == SslPolicyErrors.None,
                SslMode.VerifyCA => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None,
                _ => true,
            },
        };
        if (!string.IsNullOrEmpty(address.RootCertificate))
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(address.RootCertificate);
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }

        if (!string.IsNullOrEmpty(address.SslCertificate))
        {
            options.ClientCertificates = [X509Certificate2.CreateFromPemFile(address.SslCertificate, string.IsNullOrEmpty(address.SslKey) ? null : address.SslKey)];
        }

        return options;
    }
}

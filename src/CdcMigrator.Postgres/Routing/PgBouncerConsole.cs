using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using CdcMigrator.Domain.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Routing;

/// <summary>
/// A session at PgBouncer's admin console. Npgsql cannot hold one: it sends every command in the extended protocol, which the console refuses. One command at a time; a
/// session whose command was given up is of no more use.
/// </summary>
internal sealed class PgBouncerConsole : IAsyncDisposable
{
    private const int DefaultPort = 6432;
    private const string DefaultDatabase = "pgbouncer";
    private readonly ConsoleWire wire;

    private PgBouncerConsole(ConsoleWire wire) => this.wire = wire;

    /// <summary>Where the console is, for messages.</summary>
    public static string PlaceOf(string connection) => Address(connection) is var address
        ? string.Create(CultureInfo.InvariantCulture, $"{address.Host}:{address.Port}")
        : "";

    /// <summary>Connects and logs in.</summary>
    /// <exception cref="FaultException">Unreachable <c>pgbouncer-unreachable</c>; Configuration <c>pgbouncer-login</c>.</exception>
    public static async Task<PgBouncerConsole> OpenAsync(string connection, CancellationToken cancellationToken)
    {
        var address = Address(connection);
        ConsoleWire? wire = null;
        try
        {
            wire = await ConsoleWire.ConnectAsync(address, cancellationToken);
            await LogInAsync(wire, address, cancellationToken);
            return new PgBouncerConsole(wire);
        }
        catch (Exception exception)
        {
            await (wire?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw exception is SocketException or IOException or AuthenticationException or CryptographicException ? Broken(address, exception)
                : exception is FormatException ? Refused($"PgBouncer at {PlaceOf(connection)} refuses the login: {exception.Message}")
                : exception;
        }
    }

    /// <summary>Runs a command; rows by column name, in the console's order.</summary>
    /// <exception cref="FaultException">Unreachable: the session broke, or <c>pgbouncer-refused</c>: the console refuses the command.</exception>
    public async Task<IReadOnlyList<IReadOnlyDictionary<string, string?>>> RunAsync(string command, CancellationToken cancellationToken)
    {
        try
        {
            await wire.SendAsync('Q', ConsoleWire.Text(command), cancellationToken);
            var columns = new List<string>();
            var rows = new List<IReadOnlyDictionary<string, string?>>();
            string? refused = null;
            while (true)
            {
                var (type, body) = await wire.ReceiveAsync(cancellationToken);
                switch (type)
                {
                    case 'T':
                        columns = Columns(body);
                        break;
                    case 'D':
                        rows.Add(Row(columns, body));
                        break;
                    case 'E':
                        refused = Message(body);
                        break;
                    case 'Z':
                        return refused is null ? rows : throw new FaultException(FaultKind.Unreachable, "pgbouncer-refused", $"PgBouncer refuses {command}: {refused}", "See PgBouncer's log");
                    default:
                        break;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            throw new FaultException(FaultKind.Unreachable, "pgbouncer-unreachable", $"PgBouncer broke off at {command}: {exception.Message}", "See PgBouncer's log", exception);
        }
    }

    public ValueTask DisposeAsync() => wire.DisposeAsync();

    private static NpgsqlConnectionStringBuilder Address(string connection)
    {
        var given = new DbConnectionStringBuilder { ConnectionString = connection };
        var address = new NpgsqlConnectionStringBuilder(connection);
        address.Port = given.ContainsKey("Port") ? address.Port : DefaultPort;
        address.Database = string.IsNullOrEmpty(address.Database) ? DefaultDatabase : address.Database;
        return address;
    }

    private static async Task LogInAsync(ConsoleWire wire, NpgsqlConnectionStringBuilder address, CancellationToken cancellationToken)
    {
        var user = string.IsNullOrEmpty(address.Username) ? Environment.UserName : address.Username;
        await wire.StartAsync(
            [KeyValuePair.Create("user", user), KeyValuePair.Create("database", address.Database!), KeyValuePair.Create("client_encoding", "UTF8"), KeyValuePair.Create("application_name", "cdcm-routing")],
            cancellationToken);
        var password = address.Password ?? "";
        var scram = new ScramLogin(password);
        while (true)
        {
            var (type, body) = await wire.ReceiveAsync(cancellationToken);
            if (type == 'Z')
            {
                return;
            }

            if (type == 'E')
            {
                throw new FormatException(Message(body));
            }

            if (type == 'R' && Answer(body, user, password, scram) is { } answer)
            {
                await wire.SendAsync('p', answer, cancellationToken);
            }
        }
    }

    /// <summary>What a request of the login is answered with; null where it wants nothing.</summary>
    private static byte[]? Answer(byte[] body, string user, string password, ScramLogin scram)
    {
        switch (BinaryPrimitives.ReadInt32BigEndian(body))
        {
            case 0:
                return null;
            case 3:
                return ConsoleWire.Text(password);
            case 5:
#pragma warning disable CA5351 // What PgBouncer's auth_type=md5 asks for.
                var inner = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(password + user)));
                return ConsoleWire.Text("md5" + Convert.ToHexStringLower(MD5.HashData([.. Encoding.ASCII.GetBytes(inner), .. body.AsSpan(4, 4)])));
#pragma warning restore CA5351
            case 10 when Encoding.ASCII.GetString(body, 4, body.Length - 4).Split('\0').Contains(ScramLogin.Mechanism):
                var first = Encoding.UTF8.GetBytes(scram.First);
                var length = new byte[4];
                BinaryPrimitives.WriteInt32BigEndian(length, first.Length);
                return [.. ConsoleWire.Text(ScramLogin.Mechanism), .. length, .. first];
            case 11:
                return Encoding.UTF8.GetBytes(scram.Final(Encoding.UTF8.GetString(body, 4, body.Length - 4)));
            case 12:
                return scram.IsServer(Encoding.UTF8.GetString(body, 4, body.Length - 4)) ? null : throw new FormatException("it does not know the password itself");
            default:
                throw new FormatException("it asks for a login that is not supported; use auth_type scram-sha-256, md5, plain, cert or trust");
        }
    }

    private static List<string> Columns(byte[] body)
    {
        var columns = new List<string>(BinaryPrimitives.ReadInt16BigEndian(body));
        for (var at = 2; columns.Count < columns.Capacity && at < body.Length;)
        {
            var end = Array.IndexOf(body, (byte)0, at);
            columns.Add(Encoding.UTF8.GetString(body, at, end - at));
            at = end + 1 + 18;
        }

        return columns;
    }

    private static Dictionary<string, string?> Row(IReadOnlyList<string> columns, byte[] body)
    {
        var row = new Dictionary<string, string?>(StringComparer.Ordinal);
        var at = 2;
        foreach (var column in columns)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(at));
            at += 4;
            row[column] = length < 0 ? null : Encoding.UTF8.GetString(body, at, length);
            at += Math.Max(0, length);
        }

        return row;
    }

    /// <summary>The field M of an error.</summary>
    private static string Message(byte[] body) =>
        Encoding.UTF8.GetString(body).Split('\0').FirstOrDefault(field => field.StartsWith('M'))?[1..] ?? "no message";

    private static FaultException Broken(NpgsqlConnectionStringBuilder address, Exception exception) => new(
        FaultKind.Unreachable, "pgbouncer-unreachable", string.Create(CultureInfo.InvariantCulture, $"PgBouncer at {address.Host}:{address.Port} does not answer: {exception.GetBaseException().Message}"),
        "Check host and port of cutover.route.pgbouncer, and whether PgBouncer runs", exception);

    private static FaultException Refused(string message) => new(
        FaultKind.Configuration, "pgbouncer-login", message, "Check user and password of cutover.route.pgbouncer; the user must be one of PgBouncer's admin_users");
}

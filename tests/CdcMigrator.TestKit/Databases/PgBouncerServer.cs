using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CdcMigrator.TestKit.Processes;
using Xunit;

namespace CdcMigrator.TestKit.Databases;

/// <summary>
/// A scratch PgBouncer on 127.0.0.1 in transaction mode, with one database <c>shop</c>; <c>admin</c> logs in with a password by the chosen method. Runs as another user when
/// this process is root. Without PgBouncer, tests skip with the reason, or fail where <c>CDCM_REQUIRE_E2E=1</c>.
/// </summary>
public sealed class PgBouncerServer : IAsyncDisposable
{
    /// <summary>Password of the admin.</summary>
    public const string Password = "admin's pass";
    private const string Program = "/usr/sbin/pgbouncer";
    private readonly string folder = Directory.CreateTempSubdirectory("cdcm-pgbouncer-").FullName;
    private readonly string[] settings;
    private readonly int port = FreePort();
    private Process? process;

    private PgBouncerServer(string[] settings) => this.settings = settings;

    /// <summary>Connection string of the admin console, without the database.</summary>
    public string Console => $"Host=127.0.0.1;Port={port.ToString(CultureInfo.InvariantCulture)};Username=admin;Password=\"{Password}\"";

    /// <summary>Connection string of the application.</summary>
    public string Application => $"Host=127.0.0.1;Port={port.ToString(CultureInfo.InvariantCulture)};Database=shop;Username=postgres;Password=p;Pooling=false;No Reset On Close=true;Server Compatibility Mode=NoTypeLoading;Timeout=60;Command Timeout=0";

    /// <summary>Path of the configuration; <see cref="PointTo"/> writes it.</summary>
    public string Configuration => Path.Combine(folder, "pgbouncer.ini");

    /// <summary>Starts it. Skips the calling test where it is not installed.</summary>
    /// <param name="databasePort">Port of the server behind it.</param>
    /// <param name="database">Database there.</param>
    /// <param name="settings">Lines of the configuration; later ones win.</param>
    public static async Task<PgBouncerServer> StartAsync(int databasePort, string database, params string[] settings)
    {
        if (!File.Exists(Program))
        {
            Assert.False(Kit.KitFixture.IsRequired, "PgBouncer is required (CDCM_REQUIRE_E2E=1) but not installed");
            Assert.Skip("no PgBouncer: install pgbouncer");
        }

        var server = new PgBouncerServer(settings);
        try
        {
            await server.LaunchAsync(databasePort, database);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes a configuration that leads to another server; PgBouncer reads it when it is told to.</summary>
    public void PointTo(int databasePort, string database)
    {
        // Written beside and moved, so that a reader never sees half of it.
        File.WriteAllText($"{Configuration}.new", string.Join('\n', [
            "[databases]", $"shop = host=127.0.0.1 port={databasePort} dbname={database} user=postgres",
            "[pgbouncer]", "listen_addr = 127.0.0.1", $"listen_port = {port}", "unix_socket_dir =", $"auth_file = {folder}/users", "auth_type = md5", "admin_users = admin",
            "pool_mode = transaction", "server_login_retry = 1", "ignore_startup_parameters = extra_float_digits", $"logfile = {folder}/log", .. settings, ""]));
        File.Move($"{Configuration}.new", Configuration, overwrite: true);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process?.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task LaunchAsync(int databasePort, string database)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "users"), $"\"admin\" \"{Password}\"\n\"postgres\" \"p\"\n");
        PointTo(databasePort, database);
        await ProcessRun.RunAsync("chmod", ["-R", "a+rwX", folder]);
        string[] command = [.. Environment.UserName == "root" ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : Array.Empty<string>(), Program, "-q", Configuration];
        process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder })!;
        while (true)
        {
            using var socket = new TcpClient();
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (!process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
            catch (SocketException exception)
            {
                throw new InvalidOperationException($"PgBouncer did not start: {(File.Exists($"{folder}/log") ? await File.ReadAllTextAsync($"{folder}/log") : "no log")}", exception);
            }
        }
    }
}

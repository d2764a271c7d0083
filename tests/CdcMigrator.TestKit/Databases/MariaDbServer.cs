using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.TestKit.Processes;
using MySqlConnector;

namespace CdcMigrator.TestKit.Databases;

/// <summary>A scratch MariaDB server on 127.0.0.1 with a row binlog and GTIDs; <c>root</c> without a password. Runs as another user when this process is root.</summary>
public sealed class MariaDbServer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/mariadbd";
    private const string Installer = "/usr/bin/mariadb-install-db";
    private readonly string folder = Directory.CreateTempSubdirectory("cdcm-mariadb-").FullName;
    private readonly string[] user = ServerUser();
    private Process? process;

    private MariaDbServer()
    {
    }

    /// <summary>Whether a server is installed here.</summary>
    public static bool IsInstalled => File.Exists(Program) && File.Exists(Installer);

    /// <summary>Port, the same after a restart.</summary>
    public int Port { get; } = FreePort();

    /// <summary>Connection string for a database, as root or another user.</summary>
    public string ConnectionString(string database = "", string user = "root", string password = "") =>
        $"Server=127.0.0.1;Port={Port.ToString(CultureInfo.InvariantCulture)};User ID={user};Password={password};Database={database}";

    /// <summary>Makes a data directory and starts the server.</summary>
    /// <param name="settings">Options for the server's command line, without the dashes.</param>
    public static async Task<MariaDbServer> StartAsync(params string[] settings)
    {
        var server = new MariaDbServer();
        try
        {
            if (server.user.Length > 0)
            {
                await ProcessRun.RunAsync("chmod", ["a+rwx", server.folder]);
            }

            await server.RunAsync(Installer, "--no-defaults", $"--datadir={server.folder}/data", "--auth-root-authentication-method=normal", "--skip-test-db");
            await server.LaunchAsync(settings);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs statements, separated by semicolons, as root.</summary>
    public async Task ExecuteAsync(string sql, string database = "")
    {
        await using var source = MariaDbConnections.Create(ConnectionString(database));
        await using var connection = await source.OpenConnectionAsync();
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
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
        await MySqlConnection.ClearAllPoolsAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task LaunchAsync(string[] settings)
    {
        string[] command =
        [
            .. user, Program, "--no-defaults", $"--datadir={folder}/data", $"--socket={folder}/s.sock", $"--pid-file={folder}/pid", $"--port={Port}",
            "--bind-address=127.0.0.1", "--log-bin=m-bin", "--server-id=1", "--binlog-format=ROW", "--binlog-row-image=FULL", "--gtid-strict-mode=1",
            "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--innodb-buffer-pool-size=32M", $"--log-error={folder}/error.log",
            .. settings.Select(setting => $"--{setting}"),
        ];
        process = Process.Start(new ProcessStartInfo("setsid", command) { WorkingDirectory = folder })!;
        while (true)
        {
            try
            {
                await ExecuteAsync("select 1");
                return;
            }
            catch (MySqlException) when (!process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
            catch (MySqlException exception)
            {
                throw new InvalidOperationException($"MariaDB did not start: {(File.Exists($"{folder}/error.log") ? await File.ReadAllTextAsync($"{folder}/error.log") : "no log")}", exception);
            }
        }
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        string[] command = [.. user, program, .. arguments];
        var result = await ProcessRun.RunAsync(command[0], command[1..], new Dictionary<string, string>());
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program}: {result.Error}{result.Output}");
        }
    }

    /// <summary>The command that changes to an unprivileged user; nothing where this process is none of root's.</summary>
    private static string[] ServerUser()
    {
        if (Environment.UserName != "root")
        {
            return [];
        }

        var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length > 3).ToList();
        var chosen = users.Find(fields => fields[0] == "mysql") ?? users.Find(fields => fields[0] == "nobody");
        return chosen is null ? [] : ["setpriv", $"--reuid={chosen[2]}", $"--regid={chosen[3]}", "--clear-groups"];
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

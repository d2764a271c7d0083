using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CdcMigrator.Domain.Faults;
using Npgsql;

namespace CdcMigrator.Embedded.Servers;

/// <summary>
/// A scratch PostgreSQL server on 127.0.0.1 with trust authentication and logical decoding, superuser <c>postgres</c>. For the demo
/// and for tests. When this process is root the server runs as another user, because PostgreSQL refuses root.
/// </summary>
public sealed class LocalPostgresServer : IAsyncDisposable
{
    private readonly LocalPostgresOptions options;
    private readonly PostgresInstallation installation;
    private readonly bool ownsDirectory;
    private Process? process;

    private LocalPostgresServer(LocalPostgresOptions options, PostgresInstallation installation, string directory, bool ownsDirectory)
    {
        this.options = options;
        this.installation = installation;
        this.ownsDirectory = ownsDirectory;
        BaseDirectory = directory;
    }

    /// <summary>Folder that holds <c>data</c> and <c>postgres.log</c>.</summary>
    public string BaseDirectory { get; }

    /// <summary>Port the server listens on; the same after a restart.</summary>
    public int Port { get; private set; }

    /// <summary>Major version of the server.</summary>
    public int Major => installation.Major;

    /// <summary>Process id of the postmaster while it runs.</summary>
    public int? ProcessId => process is { HasExited: false } ? process.Id : null;

    /// <summary>Makes a cluster if the folder has none, starts it and waits until it accepts connections.</summary>
    /// <exception cref="FaultException">Configuration: no server programs were found. Internal: it did not start; the message ends with its log.</exception>
    public static async Task<LocalPostgresServer> StartAsync(LocalPostgresOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var found = PostgresInstallation.FindAll();
        var installation = options.Installation ?? (found.Count > 0 ? found[0] : null)
            ?? throw new FaultException(FaultKind.Configuration, "no-postgresql", "No PostgreSQL server programs (initdb, postgres) were found",
                "Install a PostgreSQL server package, for instance 'apt-get install postgresql', or set CDCM_PG_BIN to its bin folder");
        var directory = options.Directory ?? Directory.CreateTempSubdirectory("cdcm-pg-").FullName;
        var server = new LocalPostgresServer(options, installation, directory, ownsDirectory: options.Directory is null);
        try
        {
            await server.InitialiseAsync(cancellationToken);
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connection string for a database and user of this server.</summary>
    public string ConnectionString(string database = "postgres", string user = "postgres") =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = Port, Database = database, Username = user, Timeout = 15 }.ConnectionString;

    /// <summary>Starts the server again after <see cref="KillAsync"/> or <see cref="StopAsync"/>, on the same port.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            process = Launch();
            if (await WaitUntilReadyAsync(process, cancellationToken))
            {
                return;
            }

            // Backends of a killed postmaster hold shared memory for a moment, and another process may have taken a chosen port.
            if (deadline.Elapsed > TimeSpan.FromSeconds(30))
            {
                throw new FaultException(FaultKind.Internal, "postgresql-start", $"PostgreSQL did not start in {BaseDirectory}: {TailOfLog()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>SIGKILL to the postmaster; its backends follow. Waits until the process is gone.</summary>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        if (process is { HasExited: false })
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(cancellationToken);
        }
    }

    /// <summary>Fast shutdown: sessions are ended, data is flushed.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (process is { HasExited: false })
        {
            await SignalAsync("INT", cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
        }
    }

    /// <summary>Creates a database, runs SQL in it if given, and returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync(string name, string? sql = null, CancellationToken cancellationToken = default)
    {
        await ExecuteAsync(ConnectionString(), $"create database \"{name}\"", cancellationToken);
        var connection = ConnectionString(name);
        if (!string.IsNullOrEmpty(sql))
        {
            await ExecuteAsync(connection, sql, cancellationToken);
        }

        return connection;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        process?.Dispose();
        NpgsqlConnection.ClearAllPools();
        if (ownsDirectory)
        {
            for (var attempt = 0; Directory.Exists(BaseDirectory) && attempt < 20; attempt++)
            {
                try
                {
                    Directory.Delete(BaseDirectory, recursive: true);
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
                }
            }
        }
    }

    private static async Task ExecuteAsync(string connectionString, string sql, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false });
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task InitialiseAsync(CancellationToken cancellationToken)
    {
        var data = Path.Combine(BaseDirectory, "data");
        Port = options.Port != 0 ? options.Port : FreePort();
        if (File.Exists(Path.Combine(data, "PG_VERSION")))
        {
            return;
        }

        Directory.CreateDirectory(BaseDirectory);
        if (ServerUser.Current is { } user)
        {
            await RunAsync(["chown", user.Name, BaseDirectory], cancellationToken);
            await RunAsync(["chmod", "a+x", BaseDirectory], cancellationToken);
        }

        await RunAsync(AsServerUser("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"), cancellationToken);
    }

    private Process Launch()
    {
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = Port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = "",
            ["wal_level"] = "logical",
            ["max_wal_senders"] = "30",
            ["max_replication_slots"] = "30",
            ["max_connections"] = "200",
            ["max_prepared_transactions"] = "20",
            ["fsync"] = options.Fsync ? "on" : "off",
            ["full_page_writes"] = options.Fsync ? "on" : "off",
            ["logging_collector"] = "off",
            ["log_destination"] = "stderr",
        };
        foreach (var (key, value) in options.Settings)
        {
            settings[key] = value;
        }

        var arguments = new List<string> { "-D", Path.Combine(BaseDirectory, "data") };
        foreach (var (key, value) in settings)
        {
            arguments.Add("-c");
            arguments.Add($"{key}={value}");
        }

        // A session of its own: Ctrl-C at the terminal must reach the program that owns the server, not the server. The shell sends the
        // output to a file, so that the server needs nothing of this process and may outlive it.
        return Process.Start(new ProcessStartInfo("setsid",
            ["sh", "-c", "exec \"$@\" </dev/null >>postgres.log 2>&1", "sh", .. AsServerUser("postgres", [.. arguments])])
        {
            WorkingDirectory = BaseDirectory,
            Environment = { ["LC_ALL"] = "C" },
        })!;
    }

    private async Task<bool> WaitUntilReadyAsync(Process starting, CancellationToken cancellationToken)
    {
        while (!starting.HasExited)
        {
            try
            {
                await ExecuteAsync(ConnectionString(), "select 1", cancellationToken);
                return true;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
        }

        return false;
    }

    private string[] AsServerUser(string program, params string[] arguments)
    {
        string[] command = [Path.Combine(installation.BinDirectory, program), .. arguments];
        return ServerUser.Current is { } user ? ["setpriv", $"--reuid={user.Uid}", $"--regid={user.Gid}", "--clear-groups", .. command] : command;
    }

    private async Task RunAsync(string[] command, CancellationToken cancellationToken)
    {
        var program = command[0];
        using var process = Process.Start(new ProcessStartInfo(program, command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = BaseDirectory,
            Environment = { ["LC_ALL"] = "C" },
        })!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new FaultException(FaultKind.Internal, "postgresql-init", $"{program} failed: {(await error).Trim()} {(await output).Trim()}");
        }
    }

    private Task SignalAsync(string signal, CancellationToken cancellationToken) =>
        RunAsync(["kill", $"-{signal}", process!.Id.ToString(CultureInfo.InvariantCulture)], cancellationToken);

    private string TailOfLog()
    {
        var path = Path.Combine(BaseDirectory, "postgres.log");
        return File.Exists(path) ? string.Join(" | ", File.ReadLines(path).TakeLast(5)) : "no log";
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

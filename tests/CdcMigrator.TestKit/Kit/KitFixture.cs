using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CdcMigrator.TestKit.Processes;
using Xunit;

namespace CdcMigrator.TestKit.Kit;

/// <summary>
/// Real Kafka, Kafka Connect with Debezium and a schema registry, from the kit in <c>../shared/kit</c> (or <c>CDCM_KIT</c>), on ports
/// and in a folder of its own. Without the kit, tests skip with the reason, or fail where <c>CDCM_REQUIRE_E2E=1</c>.
/// </summary>
public sealed class KitFixture : IAsyncLifetime
{
    private readonly string data = Directory.CreateTempSubdirectory("cdcm-kit-").FullName;
    private readonly Dictionary<string, string> environment = [];

    /// <summary>Path of the kit's command; null where there is none.</summary>
    public string? Command { get; } = FindCommand();

    /// <summary>Kafka bootstrap servers.</summary>
    public string BootstrapServers => $"127.0.0.1:{environment["KIT_BROKER_PORT"]}";

    /// <summary>Kafka Connect's REST address.</summary>
    public Uri ConnectUrl => new($"http://127.0.0.1:{environment["KIT_CONNECT_PORT"]}");

    /// <summary>The registry's Confluent-compatible address.</summary>
    public Uri RegistryUrl => new($"http://127.0.0.1:{environment["KIT_REGISTRY_PORT"]}/apis/ccompat/v7");

    /// <summary>The registry's own address, which Apicurio's converter wants.</summary>
    public Uri ApicurioUrl => new($"http://127.0.0.1:{environment["KIT_REGISTRY_PORT"]}/apis/registry/v2");

    /// <summary>Whether this run must have the kit.</summary>
    public static bool IsRequired => Environment.GetEnvironmentVariable("CDCM_REQUIRE_E2E") == "1";

    /// <summary>Skips the calling test where there is no kit; fails it where there must be one.</summary>
    public void Require()
    {
        if (Command is null)
        {
            Assert.False(IsRequired, "the kit is required (CDCM_REQUIRE_E2E=1) but not at ../shared/kit or CDCM_KIT");
            Assert.Skip("no kit at ../shared/kit or CDCM_KIT: real Kafka, Connect and Debezium are not available");
        }
    }

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        if (Command is null)
        {
            return;
        }

        var broker = FreePairOfPorts();
        environment["KIT_DATA"] = data;
        environment["KIT_BROKER_PORT"] = broker.ToString(CultureInfo.InvariantCulture);
        environment["KIT_REGISTRY_PORT"] = FreePort().ToString(CultureInfo.InvariantCulture);
        environment["KIT_CONNECT_PORT"] = FreePort().ToString(CultureInfo.InvariantCulture);

        // However slow the machine is; a part that died is noticed at once.
        environment["KIT_TIMEOUT"] = "300";

        // They live for minutes and are killed often: what the second compiler would win later is less than it costs at every start.
        environment["JAVA_TOOL_OPTIONS"] = "-XX:TieredStopAtLevel=1";
        await RunAsync("up");
    }

    /// <summary>Starts what is down: all of it, or one of broker, registry, connect.</summary>
    public Task UpAsync(params string[] names) => RunAsync(["up", .. names]);

    /// <summary>SIGKILL to broker, registry or connect.</summary>
    public Task KillAsync(string name) => RunAsync("kill", name);

    /// <summary>Runs a command of the kit and returns what it printed.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var result = await ProcessRun.RunAsync(Command!, arguments, environment);
        Assert.True(result.ExitCode == 0, $"kit {string.Join(' ', arguments)}: {result.Error}{result.Output}");
        return result.Output;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Command is not null)
        {
            await RunAsync("wipe");
        }
    }

    private static string? FindCommand()
    {
        var folder = Environment.GetEnvironmentVariable("CDCM_KIT") is { Length: > 0 } chosen ? chosen : Path.Combine(Repository.Root, "..", "shared", "kit");
        var command = Path.GetFullPath(Path.Combine(folder, "bin", "kit"));
        return File.Exists(command) ? command : null;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The broker's controller takes the port after the broker's.</summary>
    private static int FreePairOfPorts()
    {
        while (true)
        {
            var port = FreePort();
            try
            {
                using var next = new TcpListener(IPAddress.Loopback, port + 1);
                next.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: try another pair.
            }
        }
    }
}

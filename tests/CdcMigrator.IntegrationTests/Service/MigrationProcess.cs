using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CdcMigrator.Service.Api;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary><c>cdcm run</c> of a migration, with an address and points to hold it at of its own.</summary>
internal sealed class MigrationProcess : IAsyncDisposable
{
    private readonly ProcessRun run;
    private readonly string points;
    private readonly string address;
    private readonly HttpClient http;

    /// <param name="folder">Where its file and its points are.</param>
    /// <param name="definition">The migration file, without its address.</param>
    public MigrationProcess(DirectoryInfo folder, string definition)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        listener.Stop();
        http = new HttpClient { BaseAddress = new Uri(address) };
        points = folder.FullName;
        var file = Path.Combine(points, "migration.yaml");
        File.WriteAllText(file, $"{definition}\nservice: {{ url: \"{address}\" }}\n");
        run = ProcessRun.Start("dotnet", [Cdcm.Assembly, "run", "-f", file], new Dictionary<string, string> { ["CDCM_FAILPOINTS"] = points });
    }

    /// <summary>How the journals call it.</summary>
    public string Actor => $"{Environment.MachineName}/{run.Id}";

    /// <summary>The last lines it wrote.</summary>
    public string Tail => $"{address}: {string.Join('\n', run.Error.Split('\n').TakeLast(25))}";

    /// <summary>Asks it by the program operators use.</summary>
    public Task<ProcessResult> RunAsync(params string[] verb) => Cdcm.RunAsync([.. verb, "--server", address, "-o", "json"]);

    /// <summary>The same for the way back, where the verb has no option for it.</summary>
    public Task<ProcessResult> RunBackAsync(params string[] verb) => Cdcm.RunAsync([.. verb, "--server", $"{address}/back", "-o", "json"]);

    /// <summary>Looks at one of its addresses; null where it does not answer, or not with 200.</summary>
    public async Task<T?> LookAsync<T>(string path)
        where T : class
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode ? JsonSerializer.Deserialize<T>(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), ApiJson.Options) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Asks it; the answer must come with this exit code.</summary>
    public async Task<T> AskAsync<T>(int exitCode, params string[] verb) => Read<T>(await RunAsync(verb), exitCode);

    /// <summary>An answer, with the exit code it must have.</summary>
    public static T Read<T>(ProcessResult result, int exitCode)
    {
        Assert.True(result.ExitCode == exitCode, $"{result.ExitCode}: {result.Error}{result.Output}");
        return JsonSerializer.Deserialize<T>(result.Output, ApiJson.Options)!;
    }

    /// <summary>Holds its next attempt at a point.</summary>
    public void HoldAt(string point) => File.WriteAllText(Path.Combine(points, point), "hold");

    /// <summary>Whether an attempt stands at a point.</summary>
    public bool IsHeldAt(string point) => File.Exists(Reached(point));

    /// <summary>Lets an attempt that stands at a point go on; a process that stands still itself goes on when it wakes up.</summary>
    public void LetGoOn(string point) => File.Delete(Reached(point));

    /// <summary>It stands still as a whole: its machine, its container or its host's disk does.</summary>
    public Task FreezeAsync() => run.SignalAsync("STOP");

    /// <summary>It goes on where it was.</summary>
    public Task WakeAsync() => run.SignalAsync("CONT");

    /// <summary>Ends it in an orderly way.</summary>
    public async Task<int> StopAsync()
    {
        await run.SignalAsync("TERM");
        return (await run.WaitAsync(TestContext.Current.CancellationToken)).ExitCode;
    }

    /// <summary>Ends it at once.</summary>
    public Task KillAsync() => run.KillAsync();

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        http.Dispose();
        return run.DisposeAsync();
    }

    private string Reached(string point) => Path.Combine(points, $"{point}.reached");
}

using System.Text.Json;
using CdcMigrator.Domain.Status;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>A <c>cdcm run</c> process and its HTTP address.</summary>
internal sealed class ServiceProcess(ProcessRun run, Uri address) : IAsyncDisposable
{
    private readonly HttpClient http = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(5) };

    public Uri Address => address;

    public bool HasExited => run.HasExited;

    public string Log => run.Error + run.Output;

    public Task KillAsync() => run.KillAsync();

    public Task SignalAsync(string signal) => run.SignalAsync(signal);

    /// <summary>Lanes that run here, <c>topic/partition</c>; none while the process does not answer.</summary>
    public async Task<IReadOnlyList<string>> LanesAsync()
    {
        try
        {
            using var status = JsonDocument.Parse(await http.GetStringAsync(new Uri("/api/status", UriKind.Relative)));
            return [.. status.RootElement.GetProperty("lanes").EnumerateArray()
                .Where(lane => lane.GetProperty("state").GetString() is nameof(LaneState.Running) or nameof(LaneState.Paused))
                .Select(lane => $"{lane.GetProperty("topic").GetString()}/{lane.GetProperty("partition").GetInt32()}")];
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return [];
        }
    }

    /// <summary>Whether the gate of a direction is open; false while the process does not answer.</summary>
    public async Task<bool> IsGateOpenAsync(bool forward)
    {
        try
        {
            using var gate = JsonDocument.Parse(await http.GetStringAsync(new Uri(forward ? "/api/gate" : "/back/api/gate", UriKind.Relative)));
            return gate.RootElement.GetProperty("open").GetBoolean();
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    /// <summary>What keeps the gates of both directions closed, for whoever reads why a test waited in vain.</summary>
    public async Task<string> DescribeGatesAsync()
    {
        var said = new List<string>();
        foreach (var path in new[] { "/api/gate", "/back/api/gate", "/api/cutover" })
        {
            try
            {
                said.Add($"{path}: {await http.GetStringAsync(new Uri(path, UriKind.Relative))}");
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                said.Add($"{path}: {exception.Message}");
            }
        }

        return string.Join('\n', said);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await run.DisposeAsync();
    }
}

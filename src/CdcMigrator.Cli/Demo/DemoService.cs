using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Demo;

/// <summary>
/// The demo's <c>cdcm run</c>: a process like any user's, watched, and started again whenever it ends unasked, by whatever hand.
/// </summary>
internal sealed class DemoService : IAsyncDisposable
{
    private static readonly TimeSpan PostLimit = TimeSpan.FromMinutes(2);
    private const int HopelessStarts = 5;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RestartPause = TimeSpan.FromMilliseconds(300);

    private readonly DemoFolder folder;
    private readonly HttpClient http;
    private readonly CancellationTokenSource stop = new();
    private readonly Task watching;
    private readonly Task polling;
    private volatile StatusReport? latest;
    private volatile Process? process;
    private int restarts;
    private long appliedBefore;
    private bool answered;

    private DemoService(DemoFolder folder, Uri url)
    {
        this.folder = folder;
        Url = url;
        http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        watching = Task.Run(WatchAsync);
        polling = Task.Run(PollAsync);
    }

    public Uri Url { get; }

    /// <summary>Its process id; null while it is down.</summary>
    public int? ProcessId => process is { HasExited: false } running ? running.Id : null;

    /// <summary>Times it ended unasked.</summary>
    public int Restarts => Volatile.Read(ref restarts);

    /// <summary>Its last answer; null while it does not answer.</summary>
    public StatusReport? Latest => latest;

    /// <summary>Changes and snapshot rows applied, over all its lives.</summary>
    public long Applied => Interlocked.Read(ref appliedBefore) + Count(latest);

    /// <summary>Whether dispose leaves it running.</summary>
    public bool Keep { get; set; }

    /// <summary>An address nobody listens on.</summary>
    public static Uri FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    public static DemoService Start(DemoFolder folder, Uri url) => new(folder, url);

    /// <summary>The command line of this program, as a user would type it.</summary>
    public static string[] Command(params string[] arguments)
    {
        var assembly = typeof(DemoService).Assembly.Location;
        var self = Environment.ProcessPath;
        return self is not null && Path.GetFileNameWithoutExtension(self) == "cdcm"
            ? [self, .. arguments]
            : [self is not null && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet", assembly, .. arguments];
    }

    /// <summary>SIGKILL, as a test of what it leaves behind.</summary>
    public void Kill() => process?.Kill();

    /// <summary>
    /// Waits for the proof that everything before the marker is in the target, however often the service is killed meanwhile.
    /// Returns the proof, or null at the deadline.
    /// </summary>
    public async Task<DrainReport?> DrainAsync(FenceMarker marker, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        var lsn = string.Create(CultureInfo.InvariantCulture, $"{marker.Lsn >> 32:X}/{marker.Lsn & 0xFFFFFFFF:X}");
        while (TimeProvider.System.GetElapsedTime(started) < timeout)
        {
            ThrowIfHopeless();
            try
            {
                using var response = await http.PostAsJsonAsync("/api/drain", new DrainRequest(marker.Id, lsn, 2_000), ApiJson.Options, cancellationToken);
                var body = await response.Content.ReadAsStringAsync(cancellationToken);
                if (JsonSerializer.Deserialize<DrainReport>(body, ApiJson.Options) is { Drained: true } report)
                {
                    return report;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException)
            {
                // It is down, or coming up: the next one answers.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        return null;
    }

    /// <summary>Asks the service to do something.</summary>
    /// <exception cref="FaultException">What it answers, where it refuses; Unreachable.</exception>
    public async Task<T> PostAsync<T>(string path, object request, CancellationToken cancellationToken)
    {
        using var client = new ServiceClient(Url, PostLimit);
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await client.PostAsync<T>(path, request, cancellationToken);
            }
            catch (FaultException exception) when (exception.Fault.Code == "not-started" && TimeProvider.System.GetElapsedTime(began) < PostLimit)
            {
                // One that was killed and started again answers what the databases say before it can do anything.
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
            }
        }
    }

    /// <summary>What the service says; null while it does not answer.</summary>
    public async Task<T?> GetAsync<T>(string path, CancellationToken cancellationToken)
        where T : class
    {
        using var client = new ServiceClient(Url, TimeSpan.FromSeconds(10));
        try
        {
            return (await client.GetAsync<T>(path, cancellationToken)).Value;
        }
        catch (FaultException exception) when (exception.Fault.Kind == FaultKind.Unreachable)
        {
            return null;
        }
    }

    /// <summary>What is wrong, in the service's own words; empty while all is well.</summary>
    public string Trouble => latest is null ? "the service does not answer" : string.Join("; ", latest.Faults.Take(2).Select(fault => fault.Message));

    /// <exception cref="FaultException">The service ended again and again without ever answering.</exception>
    public void ThrowIfHopeless()
    {
        if (watching is { IsFaulted: true, Exception.InnerException: { } broken })
        {
            throw broken;
        }
    }

    /// <summary>Ends the process at once; for the last moments of this one.</summary>
    public void KillNow()
    {
        if (!Keep)
        {
            stop.Cancel();
            process?.Kill();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(watching, polling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!Keep && process is { HasExited: false } running)
        {
            running.Kill();
            await running.WaitForExitAsync();
        }

        process?.Dispose();
        http.Dispose();
        stop.Dispose();
    }

    private static long Count(StatusReport? status) =>
        status is null ? 0 : status.Applied.Inserts + status.Applied.Updates + status.Applied.Deletes + status.Applied.SnapshotRows;

    private async Task WatchAsync()
    {
        var silentEnds = 0;
        while (!stop.IsCancellationRequested)
        {
            answered = false;
            process = Launch();
            await File.WriteAllTextAsync(folder.ServicePid, $"{process.Id}\n", stop.Token);
            await process.WaitForExitAsync(stop.Token);
            Interlocked.Add(ref appliedBefore, Count(latest));
            latest = null;
            Interlocked.Increment(ref restarts);
            silentEnds = answered ? 0 : silentEnds + 1;
            if (silentEnds >= HopelessStarts)
            {
                throw new FaultException(FaultKind.Internal, "demo-service",
                    $"The service ended {HopelessStarts} times without answering: {string.Join(" | ", File.ReadLines(folder.ServiceLog).TakeLast(4))}");
            }

            await Task.Delay(RestartPause, TimeProvider.System, stop.Token);
            while (await TryReadStatusAsync() is not null)
            {
                // Someone else has started it, as the demo says how: theirs counts.
                await Task.Delay(Interval, TimeProvider.System, stop.Token);
            }
        }
    }

    private async Task PollAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            if (await TryReadStatusAsync() is { } status)
            {
                if (Count(latest) is var before && Count(status) < before)
                {
                    // The embedded log was turned: it counts from the start again, in the same process.
                    Interlocked.Add(ref appliedBefore, before);
                }

                latest = status;
                answered = true;
            }

            await Task.Delay(Interval, TimeProvider.System, stop.Token);
        }
    }

    private async Task<StatusReport?> TryReadStatusAsync()
    {
        try
        {
            return await http.GetFromJsonAsync<StatusReport>("/api/status", ApiJson.Options, stop.Token);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>In a session of its own, so that Ctrl-C reaches the demo only, and with its output in a file, so that it may outlive the demo.</summary>
    private Process Launch() => Process.Start(new ProcessStartInfo("setsid",
        ["sh", "-c", "exec \"$@\" </dev/null >>service.log 2>&1", "sh", .. Command("run", "-f", folder.MigrationFile)])
    {
        WorkingDirectory = folder.Path,
    })!;
}

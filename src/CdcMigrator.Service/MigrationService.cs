using System.Net.Sockets;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Service.Advising;
using CdcMigrator.Service.Http;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Service.Switching;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Npgsql;
using Prometheus;

namespace CdcMigrator.Service;

/// <summary>
/// A service process: the migration's runtime, and around it HTTP (status, health, metrics, the status page). HTTP answers from the first
/// moment to the last, so that waiting and draining can be watched.
/// </summary>
public sealed class MigrationService : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly NpgsqlDataSource probe;
    private readonly BothWays ways;

    private MigrationService(WebApplication app, BothWays ways, NpgsqlDataSource probe)
    {
        this.app = app;
        this.ways = ways;
        this.probe = probe;
    }

    /// <summary>Address that is listened on, with the port the system chose where the file says 0.</summary>
    public Uri Url => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>The migration itself.</summary>
    public MigrationRuntime Runtime => ways.Forward;

    /// <summary>Starts HTTP; the migration starts with <see cref="RunAsync"/>.</summary>
    /// <exception cref="FaultException">Configuration <c>service-url</c>: the address cannot be listened on, as when its port is in use.</exception>
    public static async Task<MigrationService> StartAsync(MigrationDefinition definition, MigrationServiceOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(options);
        Metrics.SuppressDefaultMetrics();
        var registry = Metrics.NewCustomRegistry();
        registry.SetStaticLabels(new Dictionary<string, string> { ["migration"] = definition.Name });

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(definition.Service.Url.ToString());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        ServiceLogging.Configure(builder.Logging, options);
        var app = builder.Build();

        var runtime = new MigrationRuntime(definition, registry, options.Time, app.Services.GetRequiredService<ILoggerFactory>());
        var probe = PostgresConnections.CreateControl(definition.Target.Connection);
        var backRegistry = Metrics.NewCustomRegistry();
        backRegistry.SetStaticLabels(new Dictionary<string, string> { ["migration"] = definition.Name, ["direction"] = "back" });
        var ways = new BothWays(definition, runtime, backRegistry, options.Time, app.Services.GetRequiredService<ILoggerFactory>());
        var service = new MigrationService(app, ways, probe);
        app.Use(FaultAnswers.HandleAsync);
        StatusApi.Map(app, runtime, new StatusReports(definition, runtime));
        VerifyApi.Map(app, new VerifyReports(definition, runtime));
        WaiverApi.Map(app, definition, runtime);
        PauseApi.Map(app, definition, runtime, ways);
        CutoverApi.Map(app, definition, ways.Desk, new AdviceDesk(definition, ways, options.Time));
        if (ways.Back is { } back)
        {
            var there = app.MapGroup("/back");
            StatusApi.Map(there, back, new StatusReports(back.Definition, back));
            VerifyApi.Map(there, new VerifyReports(back.Definition, back));
            WaiverApi.Map(there, back.Definition, back);
            PauseApi.Map(there, back.Definition, back, ways);
            DeadLetterApi.Map(there, back.DeadLetters);
            app.MapMetrics(settings => settings.Registry = backRegistry, "/back/metrics");
        }

        DeadLetterApi.Map(app, runtime.DeadLetters);
        HealthApi.Map(app, runtime, probe, options.Time);
        StatusPage.Map(app);
        app.MapMetrics(settings => settings.Registry = registry);
        try
        {
            await app.StartAsync(cancellationToken);
            return service;
        }
        catch (Exception exception)
        {
            await service.DisposeAsync();
            throw exception is IOException or SocketException or InvalidOperationException ? CannotListen(definition.Service.Url, exception) : exception;
        }
    }

    /// <summary>Runs the migration until it is asked to stop, and then drains it; HTTP ends last.</summary>
    /// <param name="stop">Asks for a graceful stop.</param>
    /// <exception cref="FaultException">What waiting cannot heal.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await ways.RunAsync(stop);
        }
        finally
        {
            // Watchers that hold a connection open do not hold up the end.
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await app.StopAsync(patience.Token);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await ways.DisposeAsync();
        await Runtime.DisposeAsync();
        await app.DisposeAsync();
        await probe.DisposeAsync();
    }

    private static FaultException CannotListen(Uri url, Exception exception)
    {
        var inUse = exception.GetBaseException() is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse };
        return new FaultException(
            FaultKind.Configuration,
            "service-url",
            inUse ? $"port {url.Port} of {url.Host} is in use by another process" : $"cannot listen on {url.GetLeftPart(UriPartial.Authority)}: {exception.GetBaseException().Message}",
            inUse
                ? "Stop the other process ('cdcm status --server " + url.GetLeftPart(UriPartial.Authority) + "' shows whether it is cdcm), or set service.url in the migration file to a free port"
                : "Set service.url in the migration file to an address of this machine, like http://0.0.0.0:8080",
            exception);
    }

    /// <summary>Signals are the command line's: the host itself listens to none.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

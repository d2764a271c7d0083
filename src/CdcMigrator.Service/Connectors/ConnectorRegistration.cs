using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Sources;

namespace CdcMigrator.Service.Connectors;

/// <summary>Registers a migration's source connector: prepares the source, puts the settings, restarts what had failed, waits until connector and task run. Idempotent.</summary>
public static class ConnectorRegistration
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>The file's connect section.</summary>
    /// <exception cref="FaultException">Configuration: the file has none.</exception>
    public static ConnectSection Require(MigrationDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return definition.Connect ?? throw new FaultException(
            FaultKind.Configuration, "no-connect-section", $"the file of migration {definition.Name} has no connect section",
            "Add connect: { url: \"http://…:8083\", connector: name } to the migration file");
    }

    /// <summary>Registers the connector and returns its state, which is not running where it failed.</summary>
    /// <param name="definition">The migration.</param>
    /// <param name="options">What the settings depend on beside the file.</param>
    /// <param name="timeout">How long to wait for the task once Connect has the settings.</param>
    /// <param name="report">Told of each step.</param>
    /// <param name="cancellationToken">Stops waiting; what was done stays.</param>
    /// <exception cref="FaultException">Unreachable, Configuration, or TimedOut <c>connector-not-running</c>.</exception>
    public static async Task<ConnectorStatus> RunAsync(
        MigrationDefinition definition, ConnectorTemplateOptions options, TimeSpan timeout, Action<string> report, CancellationToken cancellationToken)
    {
        var connect = Require(definition);
        ArgumentNullException.ThrowIfNull(report);
        var settings = ConnectorTemplate.Render(definition, options);
        using var client = new ConnectClient(connect.Url);
        await using (var source = MigrationSources.Create(definition, client, TimeProvider.System))
        {
            await source.PrepareAsync(cancellationToken);
            report("source: fence table cdc_migrator.fence is there");
        }

        var hadFailed = await client.FindStatusAsync(connect.Connector, cancellationToken) is { HasFailed: true };
        await client.PutConfigAsync(connect.Connector, settings, cancellationToken);
        report($"connector {connect.Connector}: settings accepted; waiting for its task");
        if (hadFailed)
        {
            // Settings that are as they were start no task again.
            await client.RestartAsync(connect.Connector, onlyFailed: true, cancellationToken);
        }

        return await WaitAsync(client, connect.Connector, hadFailed, timeout, cancellationToken);
    }

    /// <summary>A task that failed is final, but for one that had failed before and is still said to; a state that is not there yet, or not running yet, is waited for.</summary>
    private static async Task<ConnectorStatus> WaitAsync(ConnectClient client, string connector, bool hadFailed, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        while (true)
        {
            var status = await client.FindStatusAsync(connector, cancellationToken);
            hadFailed &= status is not { HasFailed: false };
            var isLate = time.GetElapsedTime(began) > timeout;
            if (status is not null && (status.IsRunning || (status.HasFailed && (!hadFailed || isLate))))
            {
                return status;
            }

            if (isLate)
            {
                var states = status is null ? "no state" : $"{status.State}, {(status.Tasks.Count == 0 ? "no task" : string.Join(", ", status.Tasks.Select(task => task.State)))}";
                throw new FaultException(
                    FaultKind.TimedOut, "connector-not-running", $"connector {connector} does not run after {timeout.TotalSeconds:0} s ({states})",
                    "See 'cdcm connector status -f FILE' and Connect's log; --timeout waits longer");
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}

using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Service.Runtime;

/// <summary>Reads what only others know, for metrics: the source's replication slot and the connector's state.</summary>
internal sealed class Sampler(NpgsqlDataSource? source, string slot, ConnectClient? connect, string? connector, ServiceMetrics metrics, ILogger log)
{
    private string lastFault = "";

    /// <summary>One sample of everything. Never throws but for cancellation; a fault is logged once until it changes.</summary>
    public async Task SampleAsync(CancellationToken cancellationToken)
    {
        await TryAsync("replication slot", SampleSlotAsync, cancellationToken);
        await TryAsync("connector", SampleConnectorAsync, cancellationToken);
    }

    private async Task SampleSlotAsync(CancellationToken cancellationToken)
    {
        if (source is not null && await SlotState.ReadAsync(source, slot, cancellationToken) is { } state)
        {
            metrics.SetRetained(slot, state.RetainedBytes);
        }
    }

    private async Task SampleConnectorAsync(CancellationToken cancellationToken)
    {
        if (connect is not null && connector is not null)
        {
            var status = await connect.FindStatusAsync(connector, cancellationToken);
            metrics.SetConnector(connector, status?.Tasks.Select(task => task.State) ?? [], status?.IsRunning == true);
        }
    }

    private async Task TryAsync(string what, Func<CancellationToken, Task> sample, CancellationToken cancellationToken)
    {
        try
        {
            await sample(cancellationToken);
        }
        catch (Exception exception) when (exception is FaultException or NpgsqlException)
        {
            var fault = exception is FaultException known ? known.Fault : PostgresFaults.Classify(exception);
            if (fault.ToString() != lastFault)
            {
                lastFault = fault.ToString();
                RuntimeLog.SampleFailed(log, what, fault);
            }
        }
    }
}

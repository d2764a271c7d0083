using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Watching;

/// <summary>
/// Has a connector that has failed restarted by Connect, a bounded number of times in a row. Only what is FAILED by then is restarted, and Connect keeps one request for a connector:
/// that another process, or a person, asks for the same changes nothing. What the connector publishes again is recognised as after any restart.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A semaphore without a wait handle holds nothing.")]
internal sealed class ConnectorRestarts(ConnectSection section, ConnectClient client, ServiceMetrics metrics, TimeProvider time, ILogger log)
{
    private readonly RestartSchedule schedule = new(section.MaxRestarts);
    private readonly SemaphoreSlim wanted = new(0);
    private readonly Lock state = new();
    private ConnectorStatus? due;
    private Fault? refused;

    /// <summary>Takes in how the connector is now, and wants it restarted where that is due. Any thread.</summary>
    /// <param name="status">What Connect says; null where it says nothing.</param>
    /// <param name="barrier">What speaks against a restart; null where nothing does.</param>
    public RestartOutlook Look(ConnectorStatus? status, RestartBarrier? barrier)
    {
        lock (state)
        {
            var now = time.GetUtcNow();
            See(status, now);
            if (status is { HasFailed: true } && barrier is null && due is null && schedule.Next <= now)
            {
                due = status;
                wanted.Release();
            }

            return new RestartOutlook(schedule.Count, section.MaxRestarts)
            {
                Next = schedule.Next is { } next ? next > now ? next - now : TimeSpan.Zero : null,
                IsAsked = due is not null,
                Barrier = barrier,
                Refused = refused,
            };
        }
    }

    /// <summary>Asks Connect for each restart that is due, until cancelled. One that takes long is waited for: a worker whose broker is away answers once it is back. May be run again.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        lock (state)
        {
            due = null;
        }

        while (true)
        {
            await wanted.WaitAsync(stop);
            await AskAsync(stop);
        }
    }

    private void See(ConnectorStatus? status, DateTimeOffset now)
    {
        switch (status)
        {
            case null:
                break;
            case { HasFailed: true }:
                schedule.Failed(now);
                break;
            case { IsRunning: true }:
                schedule.Running(now);
                refused = null;
                break;
            default:
                schedule.Idle();
                break;
        }
    }

    private async Task AskAsync(CancellationToken stop)
    {
        ConnectorStatus failed;
        lock (state)
        {
            if (due is null)
            {
                // Wanted in an earlier life.
                return;
            }

            failed = due;
        }

        Fault? fault = null;
        try
        {
            await client.RestartAsync(section.Connector, onlyFailed: true, stop);
        }
        catch (FaultException exception)
        {
            fault = exception.Fault;
        }

        int count;
        lock (state)
        {
            // While workers rebalance nothing is restarted; of an answer that was lost nobody knows, and it must end some time.
            schedule.Asked(isCounted: fault is not { Kind: FaultKind.Transient });
            (due, refused, count) = (null, fault, schedule.Count);
        }

        if (fault is null)
        {
            metrics.AddRestart(section.Connector);
            RuntimeLog.ConnectorRestarted(log, ConnectorRules.NameOf(section, failed), count, section.MaxRestarts, failed.Cause);
        }
        else
        {
            RuntimeLog.ConnectorNotRestarted(log, ConnectorRules.NameOf(section, failed), fault);
        }
    }
}

using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;

namespace CdcMigrator.Service.Runtime;

/// <summary>Steps of a start, each waited for while what it needs is not there yet.</summary>
internal sealed class StartSteps(TimeProvider time, ILogger log)
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);
    private volatile Fault? waitingFor;

    /// <summary>What the start waits for; null where it waits for nothing.</summary>
    public Fault? WaitingFor => waitingFor;

    /// <summary>Repeats a step of the start while what it needs is not there; other faults end the process.</summary>
    public async Task WaitForAsync(Func<Task> step, bool waitsForTables, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await step();
                waitingFor = null;
                return;
            }
            catch (Exception exception) when (exception is FaultException || PostgresFaults.IsOfServer(exception))
            {
                var fault = PostgresFaults.Classify(exception);
                if (!(fault.Kind is FaultKind.Unreachable or FaultKind.Transient || (waitsForTables && fault.Kind == FaultKind.Configuration)
                    || fault.Code is "slot-in-use" or "connector-unknown"))
                {
                    throw new FaultException(fault, exception);
                }

                if (waitingFor?.ToString() != fault.ToString())
                {
                    RuntimeLog.Waiting(log, fault);
                }

                waitingFor = fault;
            }

            await Task.Delay(RetryPause, time, stop);
        }
    }
}

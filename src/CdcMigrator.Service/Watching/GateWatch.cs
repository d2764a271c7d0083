using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Watching;

/// <summary>Exports what the target knows of both sides' equality, and the gate, every few seconds.</summary>
internal sealed class GateWatch(MigrationDefinition definition, Func<CancellationToken, Task<RuntimeStatus>> status, VerificationMetrics metrics, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Exports until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                var now = await status(stop);
                var at = time.GetUtcNow();
                metrics.Set(definition.Tables.Select(table => table.Source), now, Gate.Of(definition, now, at), at);
            }
            catch (Exception exception) when (exception is FaultException || PostgresFaults.IsOfServer(exception))
            {
                metrics.Close();
            }

            await Task.Delay(Interval, time, stop);
        }
    }
}

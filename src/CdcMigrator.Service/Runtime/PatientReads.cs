using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Connections;

namespace CdcMigrator.Service.Runtime;

/// <summary>Reads of one database for one answer: once it said nothing it is not asked for the rest, so that whoever waits for the answer waits once.</summary>
/// <param name="name">What the database is called.</param>
/// <param name="cancellationToken">Gives up.</param>
internal sealed class PatientReads(string name, CancellationToken cancellationToken)
{
    private bool silent;

    /// <summary>What it says; the default where it says nothing, or did before.</summary>
    public async Task<T?> TryAsync<T>(TimeSpan limit, Func<CancellationToken, Task<T>> read)
    {
        try
        {
            return silent ? default : await Patience.AskAsync(name, limit, read, cancellationToken);
        }
        catch (FaultException exception) when (exception.Fault.Code == Patience.NoAnswer)
        {
            silent = true;
            return default;
        }
    }
}

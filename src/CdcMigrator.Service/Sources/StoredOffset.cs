using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Resyncing;

namespace CdcMigrator.Service.Sources;

/// <summary>
/// Up to where Kafka is known to hold everything, by the offset Connect has stored for a connector. However many ask: one request at a time, and not more than ten a second, for Connect logs each.
/// What was once confirmed stays so. Thread-safe.
/// </summary>
internal sealed class StoredOffset(ConnectClient connect, string connector, string prefix, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>A worker that hangs must not keep its askers from what else they wait for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim asking = new(1, 1);
    private ulong confirmed;
    private long askedAt;

    /// <summary>Whether a position is known to be confirmed. A Connect that does not answer says nothing: whoever waits asks again.</summary>
    /// <exception cref="FaultException">Configuration: Connect is not one that could be asked.</exception>
    public async Task<bool> IsBehindAsync(ulong position, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref confirmed) >= position)
        {
            return true;
        }

        await asking.WaitAsync(cancellationToken);
        try
        {
            if (confirmed < position && (askedAt == 0 || time.GetElapsedTime(askedAt) >= Pause))
            {
                Volatile.Write(ref confirmed, Math.Max(confirmed, await AskAsync(cancellationToken)));
                askedAt = time.GetTimestamp();
            }

            return confirmed >= position;
        }
        finally
        {
            asking.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => asking.Dispose();

    private async Task<ulong> AskAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            return ConnectorProgress.Of(await connect.FindOffsetsAsync(connector, limit.Token), prefix).Confirmed;
        }
        catch (FaultException exception) when (exception.Fault.Kind is FaultKind.Unreachable or FaultKind.Transient or FaultKind.TimedOut)
        {
            return 0;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
    }
}

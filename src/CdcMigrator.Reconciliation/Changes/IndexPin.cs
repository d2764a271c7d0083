namespace CdcMigrator.Reconciliation.Changes;

/// <summary>Lets an index forget again, once.</summary>
internal sealed class IndexPin(Action release) : IDisposable
{
    private Action? pending = release;

    /// <inheritdoc />
    public void Dispose() => Interlocked.Exchange(ref pending, null)?.Invoke();
}

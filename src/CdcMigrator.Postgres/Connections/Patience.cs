using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Postgres.Connections;

/// <summary>
/// How long a database is waited for that takes connections and does not answer. Statements may take any time, so that sessions have no limit of their own: who asks something that must not hold up anything else sets one here.
/// </summary>
public static class Patience
{
    /// <summary>Code of the fault.</summary>
    public const string NoAnswer = "no-answer";

    /// <summary>For what waits for no lock: 5 s.</summary>
    public static TimeSpan Answer { get; } = TimeSpan.FromSeconds(5);

    /// <summary>For what may wait for locks, or asks many things one after another: 30 s.</summary>
    public static TimeSpan Work { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Does something with a database, and goes on without it where that takes too long; what was begun is cancelled, and may have been done all the same.</summary>
    /// <param name="name">What the database is called in the message: <c>source</c> or <c>target</c>.</param>
    /// <param name="limit">How long.</param>
    /// <param name="work">What is done.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">Unreachable <see cref="NoAnswer"/>. Whatever the work throws.</exception>
    public static async Task<T> AskAsync<T>(string name, TimeSpan limit, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(limit);
        try
        {
            // A session that is just being opened hears of no cancellation.
            return await work(over.Token).WaitAsync(over.Token);
        }
        catch (Exception exception) when (over.IsCancellationRequested && !cancellationToken.IsCancellationRequested && exception is not FaultException { Fault.Kind: not (FaultKind.Transient or FaultKind.Unreachable) })
        {
            throw new FaultException(FaultKind.Unreachable, NoAnswer, $"The {name} did not answer within {limit.TotalSeconds:0} s", "See whether its server is stopped or overloaded, and whether the network swallows packets; it is asked again while running", exception);
        }
    }
}

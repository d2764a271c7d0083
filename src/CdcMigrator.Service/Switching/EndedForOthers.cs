using System.Collections.Concurrent;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Attempts that this process ended in the place of the one that made them: it lifted their fence, or opened the side that takes over. Whoever made them may be gone, so that it is not waited for: this process tells
/// applications where to write. Thread-safe.
/// </summary>
internal sealed class EndedForOthers
{
    private readonly ConcurrentDictionary<string, bool> attempts = new(StringComparer.Ordinal);
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done once another one is added. To be taken before <see cref="Contains"/> is asked, so that none is missed.</summary>
    public Task Next => Volatile.Read(ref next).Task;

    /// <summary>Whether this process ended it.</summary>
    public bool Contains(string token) => attempts.ContainsKey(token);

    /// <summary>This process ended it: the side's row says so by now.</summary>
    public void Add(string token)
    {
        attempts[token] = true;
        Interlocked.Exchange(ref next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }
}

using System.Collections.Concurrent;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Sessions in stock. The caller bounds how many are in use at once; as many are kept as there are writers. Thread-safe.</summary>
internal sealed class ApplySessions(NpgsqlDataSource target, int kept) : IAsyncDisposable
{
    private readonly ConcurrentBag<ApplySession> idle = [];

    public async Task<ApplySession> TakeAsync(CancellationToken cancellationToken) =>
        idle.TryTake(out var session) ? session : new ApplySession(await target.OpenConnectionAsync(cancellationToken));

    /// <summary>Puts a session back that is outside a transaction and known to be sound.</summary>
    public ValueTask ReturnAsync(ApplySession session)
    {
        if (idle.Count >= kept)
        {
            return session.DisposeAsync();
        }

        idle.Add(session);
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends a session of whose state nothing is known.</summary>
    public static async ValueTask DiscardAsync(ApplySession session)
    {
        try
        {
            await session.DisposeAsync();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            // It is broken: that is why it is thrown away.
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (idle.TryTake(out var session))
        {
            await session.DisposeAsync();
        }
    }
}

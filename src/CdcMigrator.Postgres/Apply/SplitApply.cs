using CdcMigrator.Domain.Changes;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Applies a range of changes by halves within an open transaction: a half that is refused is rolled back and halved again, in source order,
/// until the one change that is refused stands alone. One such change costs a logarithm of statements, not one a change.
/// </summary>
internal sealed class SplitApply(ApplySession session, PostgresLaneStore store, ChangeBatch batch, RepeatGuard guard, Truncations truncations)
{
    private readonly GroupExecution execution = new(session, store.Plans, store.Reselection);
    private readonly List<NetEffect> parts = [];

    /// <summary>What was applied, in order.</summary>
    public IReadOnlyList<NetEffect> Parts => parts;

    /// <summary>Where the lane stands after it.</summary>
    public RepeatGuard Guard { get; private set; } = guard;

    /// <summary>Why the change at the returned index was refused; null where all were applied.</summary>
    public Exception? Blocked { get; private set; }

    /// <summary>Returns the index of the first change that is not applied, or <paramref name="end"/>.</summary>
    public async Task<int> ApplyAsync(int start, int end, CancellationToken cancellationToken)
    {
        if (start == end)
        {
            return end;
        }

        var net = NetEffect.Of(batch, start, end, Guard, truncations);
        await store.Reselection.CompleteInsertsAsync(net, cancellationToken);
        var groups = await execution.PrepareAsync(net.Group(), copy: false, cancellationToken);
        await ExecuteAsync("savepoint part", cancellationToken);
        try
        {
            await execution.ExecuteAsync(null, net, groups, copy: false, cancellationToken);
            await ExecuteAsync("release savepoint part", cancellationToken);
            parts.Add(net);
            Guard = net.Guard;
            return end;
        }
        catch (Exception exception) when (exception is RowConflictException || (exception is PostgresException error && PostgresFaults.IsRowError(error)))
        {
            await ExecuteAsync("rollback to savepoint part; release savepoint part", cancellationToken);
            if (end - start == 1)
            {
                Blocked = exception;
                return start;
            }
        }

        var middle = start + ((end - start) / 2);
        var done = await ApplyAsync(start, middle, cancellationToken);
        return done < middle ? done : await ApplyAsync(middle, end, cancellationToken);
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session.Connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

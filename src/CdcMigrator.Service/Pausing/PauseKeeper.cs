using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Status;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Streaming;

namespace CdcMigrator.Service.Pausing;

/// <summary>Whether a direction is paused, as every process reads it in the database, and what this process does about it.</summary>
/// <param name="store">Where it stands.</param>
/// <param name="pipeline">The lanes of this process; null while there are none.</param>
internal sealed class PauseKeeper(PauseStore store, Func<ApplyPipeline?> pipeline)
{
    private volatile Pause? current;

    /// <summary>What was read last. Any thread.</summary>
    public Pause? Current => current;

    /// <summary>Reads it. What the database does not say stays as it was.</summary>
    public async Task<Pause?> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            current = await store.ReadAsync(cancellationToken);
        }
        catch (FaultException)
        {
            // The database is away: nothing is applied either.
        }

        return current;
    }

    /// <summary>Reads it, and has lanes that do not know yet claim anew: they are refused, and say so. Whether it is paused.</summary>
    public async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        var pause = await TryReadAsync(cancellationToken);
        if (pause is not null)
        {
            pipeline()?.ClaimAgain($"The migration is {pause}");
        }

        return pause is not null;
    }

    /// <summary>Refuses where it is paused.</summary>
    /// <exception cref="FaultException">NotAllowed <c>paused</c>. Unreachable: not known.</exception>
    public async Task RefuseAsync(CancellationToken cancellationToken)
    {
        if (await store.ReadAsync(cancellationToken) is { } pause)
        {
            throw new FaultException(FaultKind.NotAllowed, "paused", $"The migration is {pause}", "'cdcm resume' has it go on");
        }
    }

    /// <summary>Pauses; nothing is applied once it returns.</summary>
    /// <exception cref="FaultException">As <see cref="PauseStore.PauseAsync"/>.</exception>
    public async Task<Pause> PauseAsync(string by, string reason, CancellationToken cancellationToken)
    {
        var pause = await store.PauseAsync(by, reason, cancellationToken);
        await LookAsync(cancellationToken);
        return pause;
    }

    /// <summary>Goes on; the pause that ended, or null.</summary>
    /// <exception cref="FaultException">Unreachable.</exception>
    public async Task<Pause?> ResumeAsync(string by, CancellationToken cancellationToken)
    {
        var ended = await store.ResumeAsync(by, cancellationToken);
        await TryReadAsync(cancellationToken);
        return ended;
    }
}

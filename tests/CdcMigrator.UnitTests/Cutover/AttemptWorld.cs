using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;

namespace CdcMigrator.UnitTests.Cutover;

/// <summary>Both sides of an attempt in memory, as their rows behave: compare and set. Calls and answers get lost by chance, and a keeper acts on forsaken fences.</summary>
internal sealed class AttemptWorld : ICutoverActions
{
    private int renewals;

    public FenceState Left { get; set; } = FenceState.Open;

    public FenceState Taking { get; set; } = FenceState.Sealed;

    public string Owner { get; set; } = "";

    /// <summary>The attempt that makes applications wait on the side that is left.</summary>
    public string Held { get; init; } = "";

    /// <summary>How long the side that was to be left has been as it is when it is read.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>Whether applications are made to wait before the fence.</summary>
    public bool Hooks { get; init; }

    public string? Refuses { get; init; }

    /// <summary>The action that fails by something nobody named.</summary>
    public string? Breaks { get; init; }

    public Lost LosesSeal { get; init; }

    public Random? Chance { get; init; }

    /// <summary>Calls that may still go wrong.</summary>
    public int Faults { get; set; }

    public Action<string>? On { get; set; }

    /// <summary>What becomes of the renewals: the number of each, from 1.</summary>
    public Func<int, CancellationToken, Task<bool>>? Renewing { get; init; }

    /// <summary>What draining waits for.</summary>
    public Task DrainsBehind { get; init; } = Task.CompletedTask;

    public List<string> Did { get; } = [];

    public List<string> Routed { get; } = [];

    public string? Violation { get; private set; }

    private bool Drained { get; set; }

    private bool Proven { get; set; }

    /// <summary>For how long the side was asked to be kept closed.</summary>
    public List<TimeSpan> KeptFor { get; } = [];

    /// <summary>What any other process does once the lease is over, or behind a seal.</summary>
    public void Keep()
    {
        if (Left == FenceState.Closed)
        {
            Left = FenceState.Open;
            Did.Add("keeper:undo");
        }
        else if (Left == FenceState.Sealed && Taking == FenceState.Sealed)
        {
            Taking = FenceState.Open;
            Did.Add("keeper:open");
        }
    }

    public Task<string> PrepareAsync(CutoverAttempt attempt, CancellationToken cancellationToken) => CallAsync("prepare", () => "", cancellationToken);

    public Task<string> HoldAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken) => CallAsync("hold", () =>
    {
        Routed.Add("hold");
        if (Hooks)
        {
            tell(new HookOutcome(HookMoment.BeforeFence, "hook", "exit code 0", "", TimeSpan.Zero, null));
        }

        return "";
    }, cancellationToken);

    public Task<FencePosition> CloseAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken) => CallAsync("close", () =>
    {
        if (Left != FenceState.Open && !(Left == FenceState.Closed && Owner == attempt.Token))
        {
            throw new FaultException(FaultKind.NotAllowed, "fence-taken", "taken");
        }

        (Left, Owner) = (FenceState.Closed, attempt.Token);
        KeptFor.Add(lease);
        return new FencePosition("marker", 1);
    }, cancellationToken);

    public Task<bool> RenewAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken)
    {
        KeptFor.Add(lease);
        return Renewing?.Invoke(++renewals, cancellationToken) ?? Task.FromResult(Left == FenceState.Closed && Owner == attempt.Token);
    }

    /// <summary>How far everything before the fence comes.</summary>
    public DrainReport Drains { get; init; } = new(true, true, true, [], 0, 1);

    public async Task<DrainReport> DrainAsync(FencePosition fence, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await DrainsBehind.WaitAsync(cancellationToken);
        return await CallAsync("drain", () =>
        {
            Require(Left == FenceState.Closed || Chance is not null, "drained an open side");
            Drained = Drains.Drained;
            return Drains;
        }, cancellationToken);
    }

    public Task<CutoverProof> ProveAsync(CutoverAttempt attempt, DrainReport drained, CancellationToken cancellationToken) => CallAsync("prove", () =>
    {
        Require(Drained, "proved what was not drained");
        Proven = true;
        return new CutoverProof([], [], new DirectionStart([], 1, []), new FencePosition("back", 1));
    }, cancellationToken);

    public Task<bool> SealAsync(CutoverReport report, CancellationToken cancellationToken) => CallAsync("seal", () =>
    {
        Require(Proven, "sealed what was not proven");
        Require(report is { Fence: not null, Drain: not null, Proof: not null }, "sealed without keeping what that was done on");
        if (Left != FenceState.Closed || Owner != report.Attempt.Token)
        {
            return false;
        }

        Left = FenceState.Sealed;
        return true;
    }, cancellationToken, LosesSeal);

    public Task<string> OpenAsync(CutoverAttempt attempt, CancellationToken cancellationToken) => CallAsync("open", () =>
    {
        Require(Left == FenceState.Sealed, "opened while the other side was not sealed");
        Taking = FenceState.Open;
        return "writes are taken";
    }, cancellationToken);

    public Task<bool> UndoAsync(CutoverAttempt attempt, CancellationToken cancellationToken) => CallAsync("undo", () =>
    {
        if (Left != FenceState.Closed || Owner != attempt.Token)
        {
            return false;
        }

        Left = FenceState.Open;
        return true;
    }, cancellationToken);

    public Task<FenceRecord> ReadAsync(CutoverAttempt attempt, CancellationToken cancellationToken) =>
        CallAsync("read", () => new FenceRecord(Left, 2, Owner, TimeSpan.FromSeconds(1)) { Held = Held, Age = Age }, cancellationToken);

    public Task<string> RouteAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken) => CallAsync("route", () =>
    {
        Require(Taking == FenceState.Open, "sent applications to a closed side");
        Routed.Add("there");
        return "";
    }, cancellationToken);

    public Task RouteBackAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken)
    {
        Routed.Add("back");
        return Task.CompletedTask;
    }

    public Task NoteAsync(CutoverReport report, CancellationToken cancellationToken) => Task.CompletedTask;

    private Task<T> CallAsync<T>(string name, Func<T> work, CancellationToken cancellationToken, Lost lost = Lost.Nothing)
    {
        On?.Invoke(name);
        cancellationToken.ThrowIfCancellationRequested();
        if (name == Breaks)
        {
            throw new InvalidOperationException("broken");
        }

        if (name == Refuses)
        {
            throw new FaultException(FaultKind.NotAllowed, "refused", "refused");
        }

        if (Chance is { } chance && Faults > 0 && chance.Next(3) == 0)
        {
            Faults--;
            lost = (Lost)chance.Next(3);
            if (chance.Next(3) == 0 && Left != FenceState.Open)
            {
                // The lease was over in the meantime.
                Keep();
            }
        }

        if (lost == Lost.Request)
        {
            Did.Add($"{name}:lost");
            throw new FaultException(FaultKind.Unreachable, "away", "away");
        }

        var done = work();
        Did.Add(name);
        if (Left == FenceState.Open && Taking == FenceState.Open)
        {
            Violation ??= $"two open sides after {string.Join(" ", Did)}";
        }

        return lost == Lost.Answer ? throw new FaultException(FaultKind.Unreachable, "away", "away") : Task.FromResult(done);
    }

    private void Require(bool holds, string violation) => Violation ??= holds ? null : $"{violation} after {string.Join(" ", Did)}";
}

namespace CdcMigrator.UnitTests.Cutover;

/// <summary>
/// The cutover and the way back as steps of which any may follow any: two attempts, each of which may stall for good or wake up at any time, a keeper that acts
/// on what it read earlier, an application that writes, a stream that applies. Every step is one transaction on one database.
/// </summary>
public sealed class ProtocolModel(ProtocolFlaw flaw, int mostWrites)
{
    /// <summary>All states one step away.</summary>
    public IEnumerable<ProtocolState> Next(ProtocolState state) =>
        [.. Writer(state), .. Stream(state), .. Attempt(state, 0), .. Attempt(state, 1), .. Keeper(state)];

    /// <summary>What must hold always; null where it does.</summary>
    public static string? Broken(ProtocolState state)
    {
        if (state.Gates[0] == Gate.Open && state.Gates[1] == Gate.Open)
        {
            return "two open sides";
        }

        for (var side = 0; side < 2; side++)
        {
            if (state.Gates[side] == Gate.Open && state.Values[side] != state.Acknowledged)
            {
                return $"write {state.Acknowledged} was acknowledged, and the open side has {state.Values[side]}";
            }
        }

        return null;
    }

    /// <summary>What must hold once everybody who coordinated is dead and the keeper has done its work; null where it does.</summary>
    public string? Unrecovered(ProtocolState state)
    {
        var now = state.Copy();
        (now.Steps[0], now.Steps[1], now.Repair) = (Step.Over, Step.Over, Repair.None);
        now = now.Writing >= 0 ? Commit(now) : now;
        for (var i = 0; i < 20; i++)
        {
            now = Keeper(now).FirstOrDefault() ?? now;
        }

        for (var i = 0; i < 20; i++)
        {
            now = Stream(now).FirstOrDefault() ?? now;
        }

        return Broken(now)
            ?? (now.Gates.Count(gate => gate == Gate.Open) != 1 ? $"sides {now.Gates[0]} and {now.Gates[1]} after recovery" : null)
            ?? (now.Values[0] != now.Values[1] ? $"the sides end with {now.Values[0]} and {now.Values[1]}" : null);
    }

    private static ProtocolState With(ProtocolState state, Action<ProtocolState> change)
    {
        var next = state.Copy();
        change(next);
        return next;
    }

    private static ProtocolState Commit(ProtocolState state) => With(state, next =>
    {
        var side = next.Writing;
        next.Writing = -1;
        next.Values[side] = next.Acknowledged = next.Writes;
        next.Logs[side].Add(next.Writes);
    });

    private IEnumerable<ProtocolState> Writer(ProtocolState state)
    {
        if (state.Writing >= 0)
        {
            yield return Commit(state);
        }
        else if (state.Writes < mostWrites && Array.IndexOf(state.Gates, Gate.Open) is >= 0 and var side)
        {
            yield return With(state, next => (next.Writing, next.Writes) = (side, next.Writes + 1));
        }
    }

    /// <summary>What is applied to a side is captured there again: the log the other way has it too.</summary>
    private static IEnumerable<ProtocolState> Stream(ProtocolState state)
    {
        var from = state.StreamFrom;
        if (state.Applied[from] < state.Logs[from].Count)
        {
            yield return With(state, next =>
            {
                var value = next.Logs[from][next.Applied[from]++];
                next.Values[1 - from] = value;
                next.Logs[1 - from].Add(value);
            });
        }
    }

    private IEnumerable<ProtocolState> Attempt(ProtocolState state, int a)
    {
        var (side, token) = (state.Leaving[a], state.Tokens[a]);
        var early = flaw == ProtocolFlaw.PositionBeforeFence;
        switch (state.Steps[a])
        {
            case Step.Idle when Array.IndexOf(state.Gates, Gate.Open) is >= 0 and var open:
                yield return With(state, next =>
                {
                    next.Steps[a] = Step.Numbered;
                    next.Leaving[a] = open;
                    next.Tokens[a] = Math.Max(next.StreamEpoch, next.Epochs.Max()) + 1;
                });
                break;
            case Step.Numbered when early && state.Positions[a] < 0:
                yield return With(state, next => next.Positions[a] = next.Logs[side].Count);
                break;
            case Step.Numbered when state.Gates[side] != Gate.Open || state.Epochs[side] >= token:
                yield return With(state, next => next.Steps[a] = Step.Over);
                break;
            case Step.Numbered when state.Writing != side || flaw == ProtocolFlaw.NoBarrier:
                yield return With(state, next => (next.Steps[a], next.Gates[side], next.Epochs[side]) = (early ? Step.Positioned : Step.Closed, Gate.Closed, token));
                break;
            case Step.Closed:
                yield return With(state, next => (next.Steps[a], next.Positions[a]) = (Step.Positioned, next.Logs[side].Count));
                break;
            case Step.Positioned when state.Applied[side] >= state.Positions[a]:
                yield return With(state, next => next.Steps[a] = Step.Drained);
                break;
            case Step.Drained when flaw != ProtocolFlaw.OpenBeforeFreeze:
                yield return Arm(state, a, Step.Armed);
                break;
            case Step.Drained or Step.Armed:
                yield return With(state, next =>
                {
                    var may = next.Gates[side] == Gate.Closed && (next.Epochs[side] == token || flaw == ProtocolFlaw.SealIgnoresOwner);
                    next.Gates[side] = may ? Gate.Sealed : next.Gates[side];
                    next.Steps[a] = may ? Step.Sealed : Step.Over;
                });
                break;
            case Step.Sealed:
                var opened = With(state, next => next.Steps[a] = Step.Over);
                Open(opened, 1 - side, token);
                yield return opened;
                break;
        }

        // The freeze that comes too late.
        if (flaw == ProtocolFlaw.OpenBeforeFreeze && state.Steps[a] == Step.Over && state.Gates[1 - side] == Gate.Open && state.Epochs[1 - side] == token && state.StreamEpoch < token)
        {
            yield return Arm(state, a, Step.Over);
        }
    }

    /// <summary>The old direction ends, and the other begins behind all that its log holds by now.</summary>
    private ProtocolState Arm(ProtocolState state, int a, Step step) => With(state, next =>
    {
        var side = next.Leaving[a];
        if (next.StreamEpoch < next.Tokens[a] || flaw == ProtocolFlaw.ArmIgnoresEpoch)
        {
            (next.StreamFrom, next.StreamEpoch) = (1 - side, next.Tokens[a]);
            next.Applied[1 - side] = next.Logs[1 - side].Count;
            next.Steps[a] = step;
        }
        else
        {
            next.Steps[a] = Step.Over;
        }
    });

    private void Open(ProtocolState state, int side, int token)
    {
        if (state.Gates[side] == Gate.Sealed && (state.Epochs[side] < token || flaw == ProtocolFlaw.OpenIgnoresEpoch))
        {
            (state.Gates[side], state.Epochs[side]) = (Gate.Open, token);
        }
    }

    private IEnumerable<ProtocolState> Keeper(ProtocolState state)
    {
        if (flaw == ProtocolFlaw.NoKeeper)
        {
            yield break;
        }

        if (state.Repair != Repair.None)
        {
            yield return With(state, Act);
            yield break;
        }

        for (var side = 0; side < 2; side++)
        {
            var found = state.Gates[side] == Gate.Closed ? Repair.Undo
                : state.Gates[side] == Gate.Sealed && state.Gates[1 - side] == Gate.Sealed && state.Epochs[side] > state.Epochs[1 - side] ? Repair.Open
                : state.Gates[side] == Gate.Open && state.StreamFrom != side ? Repair.Release
                : Repair.None;
            if (found != Repair.None)
            {
                var here = side;
                yield return With(state, next => (next.Repair, next.KeeperSide, next.KeeperToken) = (found, here, found == Repair.Release ? next.StreamEpoch : next.Epochs[here]));
            }
        }
    }

    private void Act(ProtocolState next)
    {
        var (side, token) = (next.KeeperSide, next.KeeperToken);
        switch (next.Repair)
        {
            case Repair.Undo when next.Epochs[side] == token && (next.Gates[side] == Gate.Closed || flaw == ProtocolFlaw.UndoIgnoresSeal):
                next.Gates[side] = Gate.Open;
                break;
            case Repair.Open:
                Open(next, 1 - side, token);
                break;
            case Repair.Release when next.StreamEpoch == token || flaw == ProtocolFlaw.ReleaseIgnoresEpoch:
                next.StreamFrom = side;
                break;
        }

        (next.Repair, next.KeeperSide, next.KeeperToken) = (Repair.None, 0, 0);
    }
}

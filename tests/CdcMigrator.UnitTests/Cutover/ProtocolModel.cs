namespace CdcMigrator.UnitTests.Cutover;

/// <summary>
/// The cutover and the way back as steps of which any may follow any: attempts of which each may stall for good or wake up at any time, a keeper that acts
/// on what it read earlier, an application that writes, a stream that applies. Every step is one transaction on one database.
/// </summary>
public sealed class ProtocolModel(ProtocolFlaw flaw, int mostWrites, bool loses = false)
{
    /// <summary>Only with a flaw do changes go round for ever.</summary>
    private const int MostEntries = 8;

    /// <summary>All states one step away.</summary>
    public IEnumerable<ProtocolState> Next(ProtocolState state) =>
        [.. Writer(state), .. Stream(state), .. state.Steps.SelectMany((_, a) => Attempt(state, a)), .. Keeper(state), .. Loss(state)];

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
        Array.Fill(now.Steps, Step.Over);
        now.Repair = Repair.None;
        now = now.Writing >= 0 ? Commit(now) : now;
        for (var i = 0; i < 20; i++)
        {
            now = Keeper(now).FirstOrDefault() ?? now;
        }

        for (var i = 0; i < 40 && now.Lost >= 0 && IsLeft(now, 1 - now.Lost); i++)
        {
            // It lost something: the way back is stopped, lanes go on one by one, and the keeper looks after each.
            now = Loss(now).LastOrDefault(next => next.Stopped) ?? Stream(now).FirstOrDefault() ?? now;
            now = Keeper(now).FirstOrDefault() ?? now;
            now = now.Repair == Repair.None ? now : Keeper(now).First();
        }

        for (var i = 0; i < 20; i++)
        {
            now = Stream(now).FirstOrDefault() ?? now;
        }

        if (IsBeyond(now))
        {
            // What it lost came round before anybody looked: nobody opens by himself, and nothing is lost.
            return Broken(now);
        }

        return Broken(now)
            ?? (now.Gates.Count(gate => gate == Gate.Open) != 1 ? $"sides {now.Gates[0]} and {now.Gates[1]} after recovery" : null)
            ?? (now.Values[0] != now.Values[1] && !now.Stopped ? $"the sides end with {now.Values[0]} and {now.Values[1]}" : null);
    }

    /// <summary>
    /// The state with the side that is not open as an older copy of itself in which it was, as a standby that lags comes back; null where it never was, or none is open. What becomes of it once the keeper alone has
    /// done its work must be one open side, the one that was.
    /// </summary>
    public string? BrokenByOlderCopy(ProtocolState state)
    {
        var open = Array.IndexOf(state.Gates, Gate.Open);
        if (open < 0)
        {
            return null;
        }

        for (var earlier = open == 0 ? 2 : 1; earlier < state.Epochs[open]; earlier++)
        {
            var now = state.Copy();
            (now.Gates[1 - open], now.Epochs[1 - open]) = (Gate.Open, earlier);
            for (var i = 0; i < 20; i++)
            {
                now = Keeper(now).FirstOrDefault() ?? now;
            }

            if (now.Gates[open] != Gate.Open || now.Gates[1 - open] != Gate.Sealed)
            {
                return $"sides {now.Gates[0]} and {now.Gates[1]} after side {1 - open} came back open from number {earlier}";
            }
        }

        return null;
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
        for (var side = 0; side < 2; side++)
        {
            var from = side;
            if (state.Streams[from] && state.Applied[from] < state.Logs[from].Count && state.Logs[1 - from].Count < MostEntries)
            {
                yield return With(state, next =>
                {
                    var value = next.Logs[from][next.Applied[from]++];
                    next.Values[1 - from] = value;
                    next.Logs[1 - from].Add(value);
                });
            }
        }
    }

    /// <summary>
    /// The side that takes over comes back, once, without the last of what was applied to it. The log of what it captured keeps what it has: what is applied again is captured again, and comes round by the way
    /// back, unless whoever looks at the opening stops that.
    /// </summary>
    private IEnumerable<ProtocolState> Loss(ProtocolState state)
    {
        for (var left = 0; left < 2; left++)
        {
            if (!IsLeft(state, left))
            {
                continue;
            }

            var (from, side) = (left, 1 - left);
            for (var entries = 1; loses && state.Lost < 0 && entries <= Math.Min(2, state.Applied[from]); entries++)
            {
                yield return With(state, next =>
                {
                    next.Applied[from] -= entries;
                    next.Values[side] = next.Applied[from] == 0 ? 0 : next.Logs[from][next.Applied[from] - 1];
                    next.Lost = side;
                });
            }

            if (state.Lost == side && state.Applied[from] != state.Ends[from] && !state.Stopped)
            {
                yield return With(state, next => (next.Streams[side], next.Stopped) = (false, true));
            }
        }
    }

    private static bool IsLeft(ProtocolState state, int side) =>
        state.Gates[side] == Gate.Sealed && state.Gates[1 - side] == Gate.Sealed && state.Epochs[side] > state.Epochs[1 - side];

    private static bool IsBeyond(ProtocolState state) => state.Lost >= 0 && IsLeft(state, 1 - state.Lost) && state.Applied[1 - state.Lost] > state.Ends[1 - state.Lost];

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
                    next.Tokens[a] = next.Epochs.Max() + 1;
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
            case Step.Drained:
                yield return With(state, next => (next.Steps[a], next.Aims[a]) = (Step.Aimed, next.Logs[1 - side].Count));
                break;
            case Step.Aimed:
                yield return With(state, next => Seal(next, a));
                break;
            case Step.Sealed:
                yield return With(state, next => next.Steps[a] = Open(next, 1 - side, token) ? Step.Opened : Step.Sealed);
                break;
            case Step.Opened when flaw == ProtocolFlaw.FreezeAfterOpen:
                yield return With(state, next => (next.Steps[a], next.Streams[side]) = (Step.Over, false));
                break;
            case Step.Opened when flaw == ProtocolFlaw.AimAfterOpen:
                yield return With(state, next => (next.Steps[a], next.Applied[1 - side], next.Streams[1 - side]) = (Step.Over, next.Logs[1 - side].Count, true));
                break;
        }
    }

    /// <summary>One transaction on the side that is left: it is shut for good, and what the other side commits from now on comes back to it.</summary>
    private void Seal(ProtocolState next, int a)
    {
        var side = next.Leaving[a];
        if (next.Gates[side] != Gate.Closed || (next.Epochs[side] != next.Tokens[a] && flaw != ProtocolFlaw.SealIgnoresOwner))
        {
            next.Steps[a] = Step.Over;
            return;
        }

        (next.Steps[a], next.Gates[side], next.Ends[side]) = (Step.Sealed, Gate.Sealed, next.Positions[a]);
        if (flaw != ProtocolFlaw.AimAfterOpen)
        {
            (next.Applied[1 - side], next.Streams[1 - side]) = (next.Aims[a], true);
        }
    }

    /// <summary>One transaction on the side that takes over: nothing of the other comes to it any more, and it takes writes. False where it has not all yet: then it is tried again.</summary>
    private bool Open(ProtocolState next, int side, int token)
    {
        if (next.Gates[side] == Gate.Sealed && (next.Epochs[side] < token || flaw == ProtocolFlaw.OpenIgnoresEpoch))
        {
            var (reached, end) = (next.Applied[1 - side], next.Ends[1 - side]);
            if (flaw != ProtocolFlaw.OpenIgnoresProgress && IsLeft(next, 1 - side) && (reached < end || (reached > end && next.Lost == side && flaw != ProtocolFlaw.OpenBeyondEnds)))
            {
                return false;
            }

            (next.Gates[side], next.Epochs[side]) = (Gate.Open, token);
            next.Streams[1 - side] &= flaw == ProtocolFlaw.FreezeAfterOpen;
        }

        return true;
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

        if (state.Gates[0] == Gate.Open && state.Gates[1] == Gate.Open && state.Epochs[0] != state.Epochs[1])
        {
            var older = state.Epochs[0] < state.Epochs[1] ? 0 : 1;
            yield return With(state, next => (next.Repair, next.KeeperSide, next.KeeperToken, next.KeeperLater) = (Repair.Shut, older, next.Epochs[older], next.Epochs[1 - older]));
        }

        for (var side = 0; side < 2; side++)
        {
            var found = state.Gates[side] == Gate.Closed ? Repair.Undo
                : state.Gates[side] == Gate.Sealed && state.Gates[1 - side] == Gate.Sealed && state.Epochs[side] > state.Epochs[1 - side] ? Repair.Open
                : Repair.None;
            if (found != Repair.None)
            {
                var here = side;
                yield return With(state, next => (next.Repair, next.KeeperSide, next.KeeperToken) = (found, here, next.Epochs[here]));
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
            case Repair.Shut when next.Gates[side] == Gate.Open && next.Epochs[side] == token:
                (next.Gates[side], next.Epochs[side], next.Streams[1 - side]) = (Gate.Sealed, next.KeeperLater, false);
                break;
        }

        (next.Repair, next.KeeperSide, next.KeeperToken, next.KeeperLater) = (Repair.None, 0, 0, 0);
    }
}

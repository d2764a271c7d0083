using CdcMigrator.Domain.Comparing;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Deciding;
using CdcMigrator.Reconciliation.Passes;
using CdcMigrator.Service.Verifying;
using CdcMigrator.Streaming.Inspection;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>
/// One history of a table that is compared while both sides move at every point at which they can, by processes that die; then everything comes to rest. What a table, a connector, an
/// applier and an operator do in it follows from the number.
/// </summary>
internal sealed class LiveHistory
{
    private const int Turns = 40;
    private static readonly string[] Keys = [.. Enumerable.Range(10, 10).Select(i => $"k{i}")];
    private readonly Random random;
    private readonly LiveFlaw flaw;
    private readonly TwoSides sides;
    private readonly ComparedTable compared;
    private readonly VerificationLimits limits;
    private readonly bool isUnique;
    private readonly bool truncates;
    private readonly bool parks;
    private readonly bool copies;
    private readonly bool lacksValues;
    private readonly bool startsEmpty;
    private readonly HashSet<string> wrong = [];
    private readonly HashSet<string> rogue = [];
    private bool corrupts;
    private bool trespassed;
    private VerifiedTable table;

    public LiveHistory(int seed, LiveFlaw flaw)
    {
        random = new Random(seed);
        this.flaw = flaw;
        var isKeyless = Chance(6);
        isUnique = !isKeyless && Chance(2);
        truncates = Chance(3);
        parks = !isKeyless && Chance(2);
        copies = !isKeyless && Chance(2);
        lacksValues = !isKeyless && Chance(2);
        startsEmpty = Chance(4);
        compared = TwoSides.Table with { Key = isKeyless ? [] : [0], Order = isKeyless || Chance(3) ? ChunkOrder.Buckets : ChunkOrder.KeyRanges };
        limits = new VerificationLimits { MostWrong = Chance(3) ? 3 : TableState.MostWrong };
        sides = new TwoSides(isKeyless ? 1 : random.Next(1, 4), new ChangeIndex(), isUnique) { Flaw = flaw, IsKeyless = isKeyless };
        table = Verified(new TableState { Table = compared.Source });
    }

    private TableState State => table.Verification.State;

    private HashSet<string> Wrong => [.. State.Wrong.Keys.Select(key => key.Values[0])];

    /// <summary>Lives through it.</summary>
    /// <returns>What is broken; null where nothing is.</returns>
    public async Task<string?> RunAsync() => await WhileMovingAsync() ?? await AtRestAsync() ?? await OfDeadLettersAsync() ?? await MendedAsync() ?? await WrongAgainAsync();

    private async Task<string?> WhileMovingAsync()
    {
        if (startsEmpty)
        {
            sides.Disconnect();
        }

        Move(200);
        Restart();
        corrupts = Chance(2);
        if (corrupts && Chance(2))
        {
            // Rows no change touches: 'z' sorts behind all others.
            Array.ForEach(["a1", "z9"], Trespass);
        }

        sides.Between = () => Move(12);
        for (var turn = 0; turn < Turns; turn++)
        {
            switch (random.Next(24))
            {
                case 0:
                    Restart();
                    break;
                case 1:
                    table.Verification.Stop();
                    break;
                case 2 or 3 when !table.Verification.IsRunning:
                    table.Verification.Begin(turn + 1);
                    break;
                case 4 when startsEmpty:
                    sides.Connect(random);
                    break;
                case 5 when corrupts && Chance(4):
                    Trespass(Keys[random.Next(Keys.Length)]);
                    trespassed = true;
                    break;
            }

            if (turn == 3 && !table.Verification.IsRunning)
            {
                table.Verification.Begin(100);
            }

            await TurnAsync(5);
            if (Unfounded() is { } broken)
            {
                return $"{broken} in turn {turn}";
            }
        }

        return null;
    }

    /// <summary>At rest everything is decided, but for rows with dead letters: by the keys that changed where the table is covered, by another pass where it is not.</summary>
    private async Task<string?> AtRestAsync()
    {
        corrupts = false;
        sides.Between = sides.ReadAll;
        await sides.DrainAsync();
        MaybeRestart();
        if (trespassed)
        {
            // What nobody logged is found by a pass, not before.
            await TurnsAsync();
            table.Verification.Begin(300);
        }

        return await SettleAsync("at rest");
    }

    /// <summary>What becomes of dead letters is in no log.</summary>
    private async Task<string?> OfDeadLettersAsync()
    {
        var wasCovered = State.Covered;
        while (sides.Parked is [var key, ..])
        {
            Handle(key);
            if (Chance(3))
            {
                await TurnAsync(100);
                MaybeRestart();
            }
        }

        MaybeRestart();
        return await SettleAsync("without dead letters", mayPass: !wasCovered);
    }

    private async Task<string?> MendedAsync()
    {
        sides.Repair();

        // Nothing changes, and the log goes on.
        sides.PublishNothing(0);
        if (compared.IsKeyless)
        {
            // Only a pass looks at rows that have no key.
            table.Verification.Begin(500);
        }

        if (await SettleAsync("mended") is { } broken)
        {
            return broken;
        }

        return State is { Verdict: Verdict.Equal, Wrong.Count: 0, Pending.Count: 0 } ? null : $"mended, {Said}";
    }

    /// <summary>A row that goes wrong with a change of it is found by its key alone; one that goes wrong by itself, by the next pass, which tells it apart.</summary>
    private async Task<string?> WrongAgainAsync()
    {
        if (compared.IsKeyless)
        {
            return null;
        }

        sides.Commit("k10", "new");
        await sides.DrainAsync();
        sides.Corrupt("k10", "stale");
        sides.Corrupt("k11", "behind our back");
        await TurnsAsync();
        if (!Wrong.SetEquals(["k10"]))
        {
            return $"of a wrong change {Said}";
        }

        table.Verification.Begin(1000);
        await TurnsAsync();

        // How it became wrong is not forgotten when it is looked at again.
        table.Verification.Begin(1001);
        await TurnsAsync();
        return Wrong.SetEquals(["k10", "k11"]) && State.Wrong.Values.Where(row => row.Unlogged).Select(row => row.Key.Values[0]).SequenceEqual(["k11"]) ? null : $"of a row nobody changed {Said}";
    }

    /// <summary>Turns until nothing is left to do, and what is known then.</summary>
    /// <param name="when">When that is, for what is broken.</param>
    /// <param name="mayPass">Whether it may take a pass over all rows; one that remembered fewer wrong rows than there were is always followed by another.</param>
    private async Task<string?> SettleAsync(string when, bool mayPass = true)
    {
        await TurnsAsync();
        for (var pass = 0; !State.Covered && (mayPass || State.WrongTruncated) && pass < 2; pass++)
        {
            table.Verification.Begin(200 + pass);
            await TurnsAsync();
        }

        if (Unfounded() is { } broken)
        {
            return $"{broken} {when}";
        }

        var parked = sides.Parked.ToHashSet();
        var expected = sides.Differing().Where(key => !parked.Contains(key)).ToHashSet();
        if (expected.Union(Wrong).Count() >= limits.MostWrong)
        {
            // The others are told of, not named: only a pass can find the table equal.
            return State.Verdict == Verdict.Mismatch && expected.Union(parked).ToHashSet().IsSupersetOf(Wrong) && (expected.IsSubsetOf(Wrong) || (State.WrongTruncated && !State.Covered)) ? null : $"{when}, {expected.Count} rows differ and {Said}";
        }

        // Of a row that was wrong before nothing new is known while it is parked.
        var called = Wrong.Where(key => !parked.Contains(key)).ToHashSet();
        var verdict = Wrong.Count > 0 ? Verdict.Mismatch : parked.Count > 0 ? Verdict.InFlight : Verdict.Equal;
        return !called.SetEquals(expected) ? $"{when}, {string.Join(',', expected.Order())} differ and {Said}"
            : State.Verdict != verdict ? $"{when}, the verdict should be {verdict} and {Said}"
            : !State.Covered ? $"{when}, {Said}"
            : State.DirtyKeys == 0 && !State.VerifiedOffsets.OrderBy(offset => offset.Key).Select(offset => offset.Value).SequenceEqual(sides.Ends) ? $"{when}, what is verified does not reach the log's ends"
            : null;
    }

    /// <summary>What is called wrong, or laid at somebody's door, and is not.</summary>
    private string? Unfounded()
    {
        var falsely = Wrong.Where(key => compared.IsKeyless ? wrong.Count == 0 : !wrong.Contains(key)).ToList();
        var accused = State.Wrong.Values.Where(row => row.Unlogged && !rogue.Contains(row.Key.Values[0])).ToList();
        return falsely.Count > 0 ? $"{falsely[0]} is called wrong" : accused.Count > 0 ? $"{accused[0].Key} is called unlogged" : null;
    }

    private string Said => $"the state is {State.Verdict}{(State.Covered ? ", covered" : "")}{(State.WrongTruncated ? ", truncated" : "")}, wrong {string.Join(',', Wrong.Order())}, pending {State.Pending.Count}, dirty {State.DirtyKeys}";

    private async Task TurnsAsync()
    {
        for (var turn = 0; turn < Turns; turn++)
        {
            await TurnAsync(100);
        }
    }

    /// <summary>As the service takes it.</summary>
    private async Task TurnAsync(int most)
    {
        if (sides.IsCopying && flaw != LiveFlaw.NoHold)
        {
            sides.Between();
            return;
        }

        sides.Between();
        await table.Verification.StepPassAsync(default);
        if (flaw == LiveFlaw.ChangedKeysOnly ? sides.Index.DirtyKeys > 0 : table.NeedsKeys)
        {
            await table.Verification.StepKeysAsync(most, default);
        }
        else
        {
            await table.Verification.NoteReadAsync(sides.Positions.ToDictionary(lane => lane.Key.Partition, lane => lane.Value), default);
        }
    }

    private void MaybeRestart()
    {
        if (Chance(3))
        {
            Restart();
        }
    }

    /// <summary>Another process goes on with what is kept.</summary>
    private void Restart()
    {
        var kept = State;
        kept = flaw switch
        {
            LiveFlaw.PendingForgotten => kept with { Pending = new Dictionary<RowKey, DateTimeOffset>() },
            LiveFlaw.TruncationForgotten => kept with { Covered = kept.Covered || kept.WrongTruncated, WrongTruncated = false },
            LiveFlaw.OffsetsAhead => kept with { VerifiedOffsets = kept.VerifiedOffsets.ToDictionary(offset => offset.Key, offset => (long)sides.ReadUpTo[offset.Key]) },
            _ => kept,
        };
        var from = Enumerable.Range(0, sides.Ends.Count).ToDictionary(
            partition => partition, partition => ReadingStart.Of(kept, partition, new LogRange(0, sides.Ends[partition]), sides.Applied[partition])!.Value);
        sides.RestartReader(from, new ChangeIndex());
        table = Verified(kept);
    }

    private VerifiedTable Verified(TableState state)
    {
        var comparer = new TableComparer(compared, TwoSides.Topic, sides.Index, sides, sides, TimeProvider.System);
        return new VerifiedTable(compared, new TableVerification(comparer, state, sides, limits, new FakeTimeProvider(DateTimeOffset.UnixEpoch)), sides.Index, new TableShape("compared", TwoSides.Topic, "topic", "asked"));
    }

    private void Move(int most)
    {
        for (var i = random.Next(most); i > 0; i--)
        {
            if (copies && Chance(12))
            {
                sides.Copy(Keys[random.Next(Keys.Length)]);
            }
            else if (parks && Chance(25) && sides.Parked is { Count: > 0 } parked)
            {
                Handle(parked[random.Next(parked.Count)]);
            }
            else
            {
                sides.Step(random, Commit);
            }
        }
    }

    /// <summary>Somebody deals with a row's dead letters.</summary>
    private void Handle(string key)
    {
        if (Chance(2))
        {
            sides.Retry(key);
        }
        else
        {
            sides.Discard(key, random.Next(100));
            wrong.Add(key);
        }
    }

    private void Commit()
    {
        var key = truncates && Chance(12) ? null : Keys[random.Next(Keys.Length)];
        var value = Chance(4) ? null : $"v{random.Next(isUnique ? 8 : 3)}";
        if (isUnique && key is not null && value is not null && sides.Committed.FirstOrDefault(row => row.Value == value && row.Key != key).Key is { } holder)
        {
            // The value is handed over: the row that has it goes, or takes one that is free.
            sides.Commit(holder, Chance(2) ? null : Enumerable.Range(0, 30).Select(i => $"v{i}").First(free => !sides.Committed.ContainsValue(free)));
        }

        sides.Commit(key, value, isBad: parks && key is not null && Chance(12), lacksValue: lacksValues && value is not null && Chance(4));
        if (corrupts && Chance(key is null ? 2 : 8))
        {
            // The applier goes wrong with this change: the row stays as it was, goes, or becomes another.
            var row = key ?? Keys[random.Next(Keys.Length)];
            Corrupt(row, Chance(2) ? null : $"x{random.Next(3)}");
        }
    }

    private void Corrupt(string key, string? value)
    {
        sides.Corrupt(key, value);
        wrong.Add(key);
    }

    /// <summary>Somebody writes to the target behind the migration's back.</summary>
    private void Trespass(string key)
    {
        Corrupt(key, "surplus");
        rogue.Add(key);
    }

    private bool Chance(int of) => random.Next(of) == 0;
}

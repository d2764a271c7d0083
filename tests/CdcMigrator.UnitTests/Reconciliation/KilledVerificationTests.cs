using CdcMigrator.Domain.Comparing;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Deciding;
using CdcMigrator.Reconciliation.Passes;
using CdcMigrator.Service.Verifying;
using CdcMigrator.Streaming.Inspection;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>What is kept of a verification is no stronger than what was compared, wherever the process dies, and the next one goes on with it.</summary>
public sealed class KilledVerificationTests
{
    private static readonly string[] Keys = [.. Enumerable.Range(10, 12).Select(i => $"k{i}")];

    [Fact]
    public void A_process_that_dies_before_or_behind_any_write_leaves_what_the_next_one_can_rely_on() =>
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[1, 3]).Sample((seed, partitions) => RunAsync(seed, partitions).GetAwaiter().GetResult(), iter: 1000);

    [Fact]
    public async Task Nothing_is_called_equal_before_what_changed_since_was_met()
    {
        var sides = new TwoSides(1, new ChangeIndex());
        sides.Commit("k1", "v");
        await sides.DrainAsync();
        var fresh = new TableState { Table = TwoSides.Table.Source };
        Restart(sides, fresh);
        var first = Verification(sides, fresh);
        first.Begin(1);
        await StepsAsync(first, 10);
        Assert.Equal((Verdict.Equal, 1L), (first.State.Verdict, Assert.Single(first.State.VerifiedOffsets).Value));

        // The process is gone; a change is applied wrongly, and before anything else a row that was wrong is looked at.
        sides.Commit("k2", "v");
        await sides.DrainAsync();
        sides.Corrupt("k2", "other");
        var index = Restart(sides, first.State);
        var next = Verification(sides, first.State);
        next.Begin(2);
        next.Stop();
        Assert.Equal((true, Verdict.InFlight, 1L), (next.State.Covered, next.State.Verdict, next.State.VerifiedOffsets[0]));
        Assert.Equal(0, index.DirtyKeys);
        await StepsAsync(next, 3);
        Assert.Equal(Verdict.Mismatch, next.State.Verdict);
    }

    [Fact]
    public async Task A_log_that_goes_on_without_changes_leaves_an_equal_table_equal_in_the_next_process_too()
    {
        var sides = new TwoSides(1, new ChangeIndex());
        sides.Commit("k1", "v");
        await sides.DrainAsync();
        var fresh = new TableState { Table = TwoSides.Table.Source };
        Restart(sides, fresh);
        var first = Verification(sides, fresh);
        first.Begin(1);
        await StepsAsync(first, 10);
        sides.PublishNothing(0);
        Restart(sides, first.State);
        var next = Verification(sides, first.State);
        await next.NoteReadAsync(new Dictionary<int, long> { [0] = 1 }, default);
        Assert.Same(first.State.VerifiedOffsets, next.State.VerifiedOffsets);
        sides.Read(0);
        await next.NoteReadAsync(new Dictionary<int, long> { [0] = 2 }, default);
        Assert.Equal((Verdict.Equal, 2L), (next.State.Verdict, next.State.VerifiedOffsets[0]));
    }

    [Fact]
    public async Task What_a_pass_covers_is_as_old_as_the_first_row_it_compared_whoever_went_on_with_it()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        var sides = new TwoSides(1, new ChangeIndex());
        foreach (var key in Keys)
        {
            sides.Commit(key, "v");
        }

        await sides.DrainAsync();
        var fresh = new TableState { Table = TwoSides.Table.Source };
        Restart(sides, fresh);
        var table = Verification(sides, fresh, time);
        table.Begin(1);
        await StepsAsync(table, 1);
        Assert.Equal((TablePhase.Passing, true), (table.State.Phase, table.State.Cursor is not null));

        // The process dies, and another one goes on days later.
        time.Advance(TimeSpan.FromDays(3));
        Restart(sides, table.State);
        table = Verification(sides, table.State, time);
        await StepsAsync(table, 10);
        Assert.Equal((true, DateTimeOffset.UnixEpoch, null), (table.State.Covered, table.State.CoveredAt, table.State.PassBeganAt));

        // The next pass compares every row anew.
        table.Begin(2);
        await StepsAsync(table, 10);
        Assert.Equal((2L, TablePhase.Done, time.GetUtcNow()), (table.State.Run, table.State.Phase, table.State.CoveredAt));
    }

    private static async Task RunAsync(int seed, int partitions)
    {
        var random = new Random(seed);
        var sides = new TwoSides(partitions, new ChangeIndex());
        var wrong = new HashSet<string>();
        void Commit()
        {
            var key = random.Next(15) == 0 ? null : Keys[random.Next(Keys.Length)];
            sides.Commit(key, random.Next(4) == 0 ? null : $"v{random.Next(3)}");
            if (random.Next(6) == 0)
            {
                var row = key ?? Keys[random.Next(Keys.Length)];
                sides.Corrupt(row, random.Next(2) == 0 ? null : $"v{random.Next(3)}");
                wrong.Add(row);
            }
        }

        void Step() => sides.Step(random, Commit);

        void Move(int most)
        {
            for (var i = random.Next(most); i > 0; i--)
            {
                Step();
            }
        }

        // What is kept, as the target has it, and what a process that lives has of it.
        var kept = new TableState { Table = TwoSides.Table.Source };
        TableVerification table = null!;
        for (var life = random.Next(6); life >= 0; life--)
        {
            Move(60);
            Restart(sides, kept);
            table = Verification(sides, kept);
            sides.Between = () => Move(8);
            for (var steps = life == 0 ? 4 : random.Next(12); steps > 0; steps--)
            {
                if (!table.IsRunning && table.State.Run != 1)
                {
                    table.Begin(1);
                }

                await (random.Next(2) == 0 ? table.StepPassAsync(default) : table.StepKeysAsync(5, default));
                Assert.Subset(wrong, Wrong(table));
                if (random.Next(6) == 0 && life > 0)
                {
                    // It dies before this is kept; else behind it, or goes on.
                    break;
                }

                kept = table.State;
            }
        }

        sides.Between = () => { };
        await sides.DrainAsync();
        await StepsAsync(table, 60);
        if (!table.State.Covered)
        {
            table.Begin(2);
            await StepsAsync(table, 60);
        }

        Assert.True(table.State.Covered);
        Assert.Equal(sides.Differing(), Wrong(table).Order(StringComparer.Ordinal));
        Assert.Equal(sides.Differing().Count == 0 ? Verdict.Equal : Verdict.Mismatch, table.State.Verdict);
        Assert.Equal(sides.Ends, table.State.VerifiedOffsets.OrderBy(offset => offset.Key).Select(offset => offset.Value));
    }

    private static ChangeIndex Restart(TwoSides sides, TableState kept)
    {
        var from = Enumerable.Range(0, sides.Ends.Count).ToDictionary(
            partition => partition, partition => ReadingStart.Of(kept, partition, new LogRange(0, sides.Ends[partition]), sides.Applied[partition])!.Value);
        var index = new ChangeIndex();
        sides.RestartReader(from, index);
        return index;
    }

    private static TableVerification Verification(TwoSides sides, TableState kept) => Verification(sides, kept, new VerificationLimits(), TimeProvider.System);

    /// <summary>A step compares one chunk.</summary>
    private static TableVerification Verification(TwoSides sides, TableState kept, FakeTimeProvider time) => Verification(sides, kept, new VerificationLimits { SnapshotTime = TimeSpan.Zero }, time);

    private static TableVerification Verification(TwoSides sides, TableState kept, VerificationLimits limits, TimeProvider time) =>
        new(new TableComparer(TwoSides.Table, TwoSides.Topic, sides.Index, sides, sides, time), kept, sides, limits, time);

    private static async Task StepsAsync(TableVerification table, int steps)
    {
        for (; steps > 0; steps--)
        {
            await table.StepPassAsync(default);
            await table.StepKeysAsync(100, default);
        }
    }

    private static HashSet<string> Wrong(TableVerification table) => [.. table.State.Wrong.Keys.Select(key => key.Values[0])];
}

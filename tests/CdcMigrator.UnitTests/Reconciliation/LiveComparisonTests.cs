using CdcMigrator.Domain.Comparing;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Deciding;
using CdcMigrator.Reconciliation.Passes;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>Rules R1 to R3 on a model in which both sides move at every point at which they can.</summary>
public sealed class LiveComparisonTests
{
    private static readonly string[] Keys = [.. Enumerable.Range(10, 12).Select(i => $"k{i}")];

    [Fact]
    public void Nothing_is_called_wrong_that_is_on_its_way_and_nothing_wrong_goes_unfound() =>
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[1, 3], Gen.Bool).Sample(
            (seed, partitions, truncates) => RunAsync(seed, partitions, truncates).GetAwaiter().GetResult(), iter: 1000);

    [Fact]
    public async Task A_pass_waits_until_both_sides_have_what_changed_all_rows()
    {
        var index = new ChangeIndex();
        var sides = new TwoSides(1, index);
        sides.Commit("k1", "v");
        await sides.DrainAsync();
        sides.RestartReader();
        var comparer = new TableComparer(TwoSides.Table, TwoSides.Topic, index, sides, sides, TimeProvider.System);
        var table = new TableVerification(comparer, new TableState { Table = TwoSides.Table.Source }, sides, new VerificationLimits(), TimeProvider.System);

        // The target has the truncate and kept a row all the same; the source's snapshots do not see it yet, so that the row is equal.
        sides.Commit(null, null);
        sides.Publish();
        sides.Read(0);
        sides.Apply(0);
        sides.Corrupt("k1", "v");
        table.Begin(1);
        for (var i = 0; i < 5; i++)
        {
            await table.StepPassAsync(default);
            await table.StepKeysAsync(100, default);
        }

        Assert.Equal((TablePhase.Passing, false), (table.State.Phase, table.State.Covered));
        sides.Show(0);
        await RunToEndAsync(table);
        Assert.Equal((true, Verdict.Mismatch), (table.State.Covered, table.State.Verdict));
        Assert.Equal(["k1"], Wrong(table));
    }

    [Fact]
    public async Task More_wrong_rows_than_are_remembered_take_the_tables_coverage_away()
    {
        var index = new ChangeIndex();
        var sides = new TwoSides(1, index);
        var keys = Enumerable.Range(0, TableState.MostWrong + 50).Select(i => $"k{i:00000}").ToList();
        var comparer = new TableComparer(TwoSides.Table, TwoSides.Topic, index, sides, sides, TimeProvider.System);
        var table = new TableVerification(comparer, new TableState { Table = TwoSides.Table.Source }, sides, new VerificationLimits(), TimeProvider.System);
        sides.Commit("k", "v");
        await sides.DrainAsync();
        table.Begin(1);
        await RunToEndAsync(table);
        Assert.Equal(Verdict.Equal, table.State.Verdict);

        foreach (var key in keys)
        {
            sides.Commit(key, "new");
            sides.Corrupt(key, "stale");
        }

        await sides.DrainAsync();
        await table.StepKeysAsync(2 * TableState.MostWrong, default);
        Assert.Equal((TableState.MostWrong, true, false, Verdict.Mismatch), (table.State.Wrong.Count, table.State.WrongTruncated, table.State.Covered, table.State.Verdict));

        // Those that are remembered are repaired: the others are wrong as before.
        sides.Mend();
        sides.Corrupt(keys[^1], "stale");
        await table.StepKeysAsync(2 * TableState.MostWrong, default);
        Assert.NotEqual(Verdict.Equal, table.State.Verdict);
        table.Begin(2);
        await RunToEndAsync(table);
        Assert.Equal([keys[^1]], Wrong(table));
    }

    [Fact]
    public async Task A_row_that_was_on_its_way_when_a_pass_ended_is_looked_at_again_though_nothing_changes()
    {
        var index = new ChangeIndex();
        var sides = new TwoSides(1, index);
        sides.Commit("k1", "v");
        sides.Commit("k2", "v");
        await sides.DrainAsync();
        sides.RestartReader();
        sides.Corrupt("k1", "parked before, and given up since");
        var comparer = new TableComparer(TwoSides.Table, TwoSides.Topic, index, sides, sides, TimeProvider.System);
        var state = new TableState
        {
            Table = TwoSides.Table.Source,
            Phase = TablePhase.Done,
            Covered = true,
            Pending = new[] { "k1", "k2" }.ToDictionary(key => new RowKey(key), _ => DateTimeOffset.UtcNow),
        };
        var table = new TableVerification(comparer, state, sides, new VerificationLimits(), TimeProvider.System);
        await table.StepKeysAsync(100, default);
        Assert.Equal(["k1"], Wrong(table));
        Assert.Empty(table.State.Pending);
    }

    private static async Task RunAsync(int seed, int partitions, bool truncates)
    {
        var random = new Random(seed);
        var index = new ChangeIndex();
        var sides = new TwoSides(partitions, index);
        var wrong = new HashSet<string>();
        var mayCorrupt = false;
        void Commit()
        {
            var key = truncates && random.Next(12) == 0 ? null : Keys[random.Next(Keys.Length)];
            sides.Commit(key, random.Next(4) == 0 ? null : $"v{random.Next(3)}");
            if (mayCorrupt && random.Next(key is null ? 2 : 8) == 0)
            {
                // The applier goes wrong with this change: the row stays as it was, goes, or becomes another.
                var row = key ?? Keys[random.Next(Keys.Length)];
                sides.Corrupt(row, random.Next(2) == 0 ? null : $"v{random.Next(3)}");
                wrong.Add(row);
            }
        }

        void Step() => sides.Step(random, Commit);

        for (var i = random.Next(200); i > 0; i--)
        {
            Step();
        }

        sides.RestartReader();
        mayCorrupt = random.Next(2) == 0;
        sides.Between = () =>
        {
            for (var i = random.Next(12); i > 0; i--)
            {
                Step();
            }
        };
        if (random.Next(2) == 0)
        {
            // Rows no change touches: 'z' sorts behind all others.
            foreach (var key in (string[])["a1", "z9"])
            {
                sides.Corrupt(key, "surplus");
                wrong.Add(key);
            }
        }

        var comparer = new TableComparer(TwoSides.Table, TwoSides.Topic, index, sides, sides, TimeProvider.System);
        var table = new TableVerification(comparer, new TableState { Table = TwoSides.Table.Source }, sides, new VerificationLimits(), new FakeTimeProvider(DateTimeOffset.UnixEpoch));
        for (var i = random.Next(4); i > 0; i--)
        {
            // Not covered yet: changes both sides have are forgotten, for the pass looks at all rows.
            await table.StepKeysAsync(5, default);
            Assert.Empty(Wrong(table));
        }

        table.Begin(1);
        for (var i = 0; i < 40 && table.IsRunning; i++)
        {
            await table.StepPassAsync(default);
            Assert.Subset(wrong, Wrong(table));
            await table.StepKeysAsync(5, default);
            Assert.Subset(wrong, Wrong(table));
        }

        // At rest everything is decided: by the keys that changed where the pass covered the table, by another pass where it did not.
        sides.Between = () => { };
        await sides.DrainAsync();
        await table.StepKeysAsync(100, default);
        await RunToEndAsync(table);
        if (!table.State.Covered)
        {
            table.Begin(2);
            await RunToEndAsync(table);
        }

        Assert.True(table.State.Covered);
        AssertVerifiedToTheEnds(sides, table);
        Assert.DoesNotContain(table.State.Wrong.Values, row => row.Unlogged && row.Key.Values[0] is not ("a1" or "z9"));
        Assert.Equal(sides.Differing(), Wrong(table).Order(StringComparer.Ordinal));
        Assert.Equal(sides.Differing().Count == 0 ? Verdict.Equal : Verdict.Mismatch, table.State.Verdict);
        sides.Mend();
        await table.StepKeysAsync(100, default);
        Assert.Equal(Verdict.Equal, table.State.Verdict);

        // A row that goes wrong with a change of it is found by its key alone; one that goes wrong by itself, by the next pass.
        sides.Commit("k10", "new");
        sides.Corrupt("k10", "stale");
        sides.Corrupt("k11", "behind our back");
        await sides.DrainAsync();
        await table.StepKeysAsync(100, default);
        Assert.Equal(["k10"], Wrong(table));
        AssertVerifiedToTheEnds(sides, table);
        table.Begin(3);
        await RunToEndAsync(table);
        Assert.Equal(["k10", "k11"], Wrong(table).Order());
        Assert.Equal(["k11"], table.State.Wrong.Values.Where(row => row.Unlogged).Select(row => row.Key.Values[0]));

        // Nothing changes, and the log goes on: below what the reader has passed nothing is unverified, and nothing beyond is taken for verified.
        for (var partition = 0; partition < partitions; partition++)
        {
            sides.PublishNothing(partition);
        }

        sides.Read(0);
        await table.NoteReadAsync(sides.Positions.ToDictionary(lane => lane.Key.Partition, lane => lane.Value), default);
        Assert.Equal(sides.Positions.Values, Offsets(table));
        await sides.DrainAsync();
        await table.NoteReadAsync(sides.Positions.ToDictionary(lane => lane.Key.Partition, lane => lane.Value), default);
        AssertVerifiedToTheEnds(sides, table);

        // How it became wrong is not forgotten when it is looked at again.
        await table.StepKeysAsync(100, default);
        table.Begin(4);
        await RunToEndAsync(table);
        Assert.Equal(["k11"], table.State.Wrong.Values.Where(row => row.Unlogged).Select(row => row.Key.Values[0]));
    }

    private static IEnumerable<long> Offsets(TableVerification table) => table.State.VerifiedOffsets.OrderBy(offset => offset.Key).Select(offset => offset.Value);

    private static void AssertVerifiedToTheEnds(TwoSides sides, TableVerification table) => Assert.Equal(sides.Ends, Offsets(table));

    private static HashSet<string> Wrong(TableVerification table) => [.. table.State.Wrong.Keys.Select(key => key.Values[0])];

    private static async Task RunToEndAsync(TableVerification table)
    {
        for (var i = 0; i < 200 && (table.IsRunning || table.State.DirtyKeys > 0); i++)
        {
            await table.StepPassAsync(default);
            await table.StepKeysAsync(100, default);
        }
    }
}

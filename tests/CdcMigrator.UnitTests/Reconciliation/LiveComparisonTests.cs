using CdcMigrator.Domain.Comparing;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Deciding;
using CdcMigrator.Reconciliation.Passes;
using CsCheck;

namespace CdcMigrator.UnitTests.Reconciliation;

/// <summary>Rules R1 to R3 on a model in which both sides move at every point at which they can.</summary>
public sealed class LiveComparisonTests
{
    private const int MostHistories = 5_000;

    [Fact]
    public void Nothing_is_called_wrong_that_is_on_its_way_and_nothing_wrong_goes_unfound() =>
        Gen.Int[0, int.MaxValue].Sample(seed => Assert.Null(new LiveHistory(seed, LiveFlaw.None).RunAsync().GetAwaiter().GetResult()), iter: 1000);

    [Theory]
    [InlineData(LiveFlaw.SourceFirst, "is called wrong", 0)]
    [InlineData(LiveFlaw.NoPass, "is called wrong", 0)]
    [InlineData(LiveFlaw.OldSnapshot, "is called wrong", 0)]
    [InlineData(LiveFlaw.ProgressOutside, "is called wrong", 0)]
    [InlineData(LiveFlaw.BeganForgotten, "is called wrong", 183)]
    [InlineData(LiveFlaw.ParkedIgnored, "is called wrong", 0)]
    [InlineData(LiveFlaw.ParkedRight, "at rest, the verdict should be InFlight and the state is Equal", 0)]
    [InlineData(LiveFlaw.PendingForgotten, "differ and the state is", 804)]
    [InlineData(LiveFlaw.TruncationForgotten, "and the state is", 0)]
    [InlineData(LiveFlaw.OffsetsAhead, "differ and the state is", 0)]
    [InlineData(LiveFlaw.ChangedKeysOnly, "and the state is", 0)]
    [InlineData(LiveFlaw.NoHold, "is called wrong", 0)]
    [InlineData(LiveFlaw.TruncateUntold, "is called wrong", 0)]
    [InlineData(LiveFlaw.KeyMisread, "is called wrong", 0)]
    [InlineData(LiveFlaw.CopiesUncounted, "differ and the state is", 0)]
    [InlineData(LiveFlaw.SumsIgnored, "differ and the state is", 0)]
    public async Task Every_flaw_of_comparing_is_found(LiveFlaw flaw, string broken, int first)
    {
        for (var seed = first; seed < first + MostHistories; seed++)
        {
            if (await new LiveHistory(seed, flaw).RunAsync() is { } found && found.Contains(broken, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"{flaw} was not found in {MostHistories} histories");
    }

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
        const int Most = 3;
        var keys = Enumerable.Range(0, Most + 5).Select(i => $"k{i:00000}").ToList();
        var comparer = new TableComparer(TwoSides.Table, TwoSides.Topic, index, sides, sides, TimeProvider.System);
        var table = new TableVerification(comparer, new TableState { Table = TwoSides.Table.Source }, sides, new VerificationLimits { MostWrong = Most }, TimeProvider.System);
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
        await table.StepKeysAsync(100, default);
        Assert.Equal((Most, true, false, Verdict.Mismatch), (table.State.Wrong.Count, table.State.WrongTruncated, table.State.Covered, table.State.Verdict));

        // Those that are remembered are repaired: the others are wrong as before.
        sides.Mend();
        sides.Corrupt(keys[^1], "stale");
        await table.StepKeysAsync(100, default);
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

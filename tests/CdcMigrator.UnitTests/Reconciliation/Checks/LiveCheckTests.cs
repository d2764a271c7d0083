using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Checks;

namespace CdcMigrator.UnitTests.Reconciliation.Checks;

/// <summary>Checks of two sides that move: what is on its way is never called wrong, and what is wrong is, though other rows are on their way.</summary>
public sealed class LiveCheckTests
{
    private static readonly BusinessRule Rows = new("rows", "s", "t", 0);
    private readonly ChangeIndex index = new();
    private readonly TwoSides sides;
    private readonly CheckedTable table;

    public LiveCheckTests()
    {
        sides = new TwoSides(2, index);
        table = new CheckedTable(TwoSides.Table, TwoSides.Topic, index);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_count_that_differs_by_what_is_on_its_way_passes_and_says_so()
    {
        await FillAsync(20);
        sides.Commit("new", "x");
        sides.Show(0);
        var result = await CountAsync();
        Assert.Equal((CheckState.Pass, "1", "differs by what is on its way"), (result.State, result.Difference, result.Message));
        await sides.DrainAsync();
        Assert.Equal("equal", (await CountAsync()).Message);
    }

    [Fact]
    public async Task A_row_missing_in_the_target_is_found_though_another_one_on_its_way_makes_the_counts_equal()
    {
        await FillAsync(20);
        sides.Corrupt("k3", null);
        sides.Commit("k4", null);
        sides.Show(0);
        var result = await CountAsync();
        Assert.Equal((CheckState.Fail, "0"), (result.State, result.Difference));
        Assert.StartsWith("1 of the difference", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_many_rows_with_other_keys_are_found_by_the_sum_of_keys()
    {
        await FillAsync(20);
        sides.Corrupt("k3", null);
        sides.Corrupt("intruder", "x");
        var result = await CountAsync();
        Assert.Equal((CheckState.Fail, "as many rows, but other keys"), (result.State, result.Message));
    }

    [Fact]
    public async Task A_target_that_is_far_behind_is_a_warning()
    {
        await FillAsync(20);
        sides.Commit("new", "x");
        sides.Show(0);
        var result = await CountAsync(tolerance: 0.001m);
        Assert.Equal((CheckState.Fail, false), (result.State, result.Blocks));
    }

    [Fact]
    public async Task A_truncate_on_its_way_leaves_a_count_undecided()
    {
        await FillAsync(20);
        sides.Commit(null, null);
        sides.Show(0);
        Assert.Equal(CheckState.InFlight, (await CountAsync()).State);
    }

    [Fact]
    public async Task A_rule_that_differs_is_undecided_while_anything_is_on_its_way_and_broken_once_nothing_is()
    {
        await FillAsync(20);
        Assert.Equal(CheckState.Pass, (await RuleAsync()).State);
        sides.Corrupt("k3", null);
        sides.Commit("new", "x");
        sides.Show(0);
        Assert.Equal(CheckState.InFlight, (await RuleAsync(tolerance: 1)).State);
        await sides.DrainAsync();
        var broken = await RuleAsync();
        Assert.Equal((CheckState.Fail, "1", true), (broken.State, broken.Difference, broken.Blocks));
        Assert.Equal(CheckState.Pass, (await RuleAsync(tolerance: 1)).State);
    }

    [Fact]
    public async Task A_change_told_while_a_pair_is_looked_at_is_kept_though_a_later_comparison_settles_it()
    {
        await FillAsync(5);
        sides.Commit("k1", null);
        sides.Show(0);
        await using var pair = await CheckedPair.OpenAsync(sides, sides, [table], Token);
        await sides.DrainAsync();

        // A comparison with later snapshots, in both of which the row is gone.
        await using (var later = await CheckedPair.OpenAsync(sides, sides, [table], Token))
        {
            index.Settle(new SnapshotPair(later.Source.View, later.Target.Progress.ToDictionary(lane => lane.Key.Partition, lane => lane.Value), new Dictionary<int, long>()));
        }

        await pair.PassAsync(Token);
        Assert.True(pair.Explains(TwoSides.Table.Source, new RowKey("k1")));
        Assert.False(pair.Explains(TwoSides.Table.Source, new RowKey("k2")));
    }

    [Fact]
    public async Task Before_the_log_was_read_nothing_is_decided()
    {
        await FillAsync(5);
        await using var pair = await CheckedPair.OpenAsync(sides, sides, [table], Token);
        Assert.True(pair.Explains(TwoSides.Table.Source, new RowKey("k1")));
        Assert.True(pair.ExplainsAny());
        Assert.Null(pair.Explained(TwoSides.Table.Source, 10));
    }

    [Fact]
    public async Task A_sample_finds_rows_only_the_target_has_and_says_that_it_is_one()
    {
        await FillAsync(50);
        var clean = await SampleAsync();
        Assert.Equal((CheckState.Pass, true), (clean.State, clean.IsSampled));
        sides.Corrupt("intruder", "x");
        sides.Commit("new", "x");
        sides.Show(0);
        var found = await SampleAsync();
        Assert.Equal((CheckState.Fail, "1", true), (found.State, found.Difference, found.IsSampled));
    }

    [Theory]
    [InlineData(0.95, 0.01, 299)]
    [InlineData(0.99, 0.001, 4603)]
    [InlineData(0.999, 0.0001, 69075)]
    public void A_sample_is_as_large_as_its_confidence_needs(double confidence, double errorRate, int rows) => Assert.Equal(rows, SampleCheck.RowsFor(confidence, errorRate));

    private async Task FillAsync(int rows)
    {
        for (var i = 0; i < rows; i++)
        {
            sides.Commit($"k{i}", "v");
        }

        await sides.DrainAsync();
    }

    private Task<CheckResult> CountAsync(decimal tolerance = 0.5m) => new CountCheck(sides, sides, TimeProvider.System, tolerance).CheckAsync(table, Token);

    private Task<CheckResult> RuleAsync(decimal tolerance = 0) =>
        new RuleCheck(sides, sides, [table], TimeSpan.FromSeconds(1), TimeProvider.System).CheckAsync(Rows with { Tolerance = tolerance }, Token);

    private Task<CheckResult> SampleAsync() => new SampleCheck(sides, sides, 0.99, 0.01, TimeProvider.System).CheckAsync(table, [], Token);
}

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
            (seed, partitions, truncates) => RunAsync(seed, partitions, truncates).GetAwaiter().GetResult(), iter: 2000);

    private static async Task RunAsync(int seed, int partitions, bool truncates)
    {
        var random = new Random(seed);
        var index = new ChangeIndex();
        var sides = new TwoSides(partitions, index);
        void Step()
        {
            switch (random.Next(6))
            {
                case 0:
                    sides.Commit(truncates && random.Next(30) == 0 ? null : Keys[random.Next(Keys.Length)], random.Next(4) == 0 ? null : $"v{random.Next(3)}");
                    break;
                case 1:
                    sides.Publish();
                    break;
                case 2:
                    sides.Show(random.Next(100));
                    break;
                case 3:
                    sides.Read(random.Next(partitions));
                    break;
                default:
                    sides.Apply(random.Next(partitions));
                    break;
            }
        }

        for (var i = random.Next(200); i > 0; i--)
        {
            Step();
        }

        sides.RestartReader();
        sides.Between = () =>
        {
            for (var i = random.Next(12); i > 0; i--)
            {
                Step();
            }
        };

        // Rows that no change touches stay wrong until they are mended; 'z' sorts behind all others.
        var wrong = random.Next(2) == 0 ? [] : new HashSet<string> { "a1", "z9" };
        foreach (var key in wrong)
        {
            sides.Corrupt(key, "surplus");
        }

        var comparer = new TableComparer(TwoSides.Table, TwoSides.Topic, index, sides, sides, TimeProvider.System);
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        var table = new TableVerification(comparer, new TableState { Table = TwoSides.Table.Source }, sides, new VerificationLimits(), time);
        table.Begin(1);
        for (var i = 0; i < 40 && table.IsRunning; i++)
        {
            await table.StepPassAsync(default);
            Assert.Subset(wrong, table.State.Wrong.Keys.Select(key => key.Values[0]).ToHashSet());
            await table.StepKeysAsync(5, default);
            Assert.Subset(wrong, table.State.Wrong.Keys.Select(key => key.Values[0]).ToHashSet());
        }

        // At rest everything is decided.
        sides.Between = () => { };
        await sides.DrainAsync();
        await table.StepKeysAsync(100, default);
        for (var i = 0; i < 200 && (table.IsRunning || table.State.DirtyKeys > 0); i++)
        {
            await table.StepPassAsync(default);
            await table.StepKeysAsync(100, default);
        }

        if (!table.State.Covered)
        {
            table.Begin(2);
            for (var i = 0; i < 40 && table.IsRunning; i++)
            {
                await table.StepPassAsync(default);
            }

            await table.StepKeysAsync(100, default);
        }

        Assert.True(table.State.Covered);
        Assert.Equal(wrong, table.State.Wrong.Keys.Select(key => key.Values[0]).ToHashSet());
        Assert.Equal(wrong.Count == 0 ? Verdict.Equal : Verdict.Mismatch, table.State.Verdict);
        foreach (var key in wrong)
        {
            sides.Mend(key);
        }

        await table.StepKeysAsync(100, default);
        Assert.Equal(Verdict.Equal, table.State.Verdict);

        // A row that goes wrong with a change of it is found by its key alone; one that goes wrong by itself, by the next pass.
        sides.Commit("k10", "new");
        sides.Corrupt("k10", "stale");
        sides.Corrupt("k11", "behind our back");
        await sides.DrainAsync();
        await table.StepKeysAsync(100, default);
        Assert.Equal(["k10"], table.State.Wrong.Keys.Select(key => key.Values[0]));
        table.Begin(3);
        for (var i = 0; i < 40 && table.IsRunning; i++)
        {
            await table.StepPassAsync(default);
        }

        Assert.Equal(["k10", "k11"], table.State.Wrong.Keys.Select(key => key.Values[0]).Order());
    }
}

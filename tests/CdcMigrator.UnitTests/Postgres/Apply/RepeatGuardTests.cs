using CdcMigrator.Domain.Changes;
using CdcMigrator.Postgres.Apply;

namespace CdcMigrator.UnitTests.Postgres.Apply;

/// <summary>What was applied before, what may have been, and what is new (invariant A4).</summary>
public sealed class RepeatGuardTests
{
    private const ulong First = 1;
    private const ulong Second = 3;
    private const ulong Third = 5;

    [Fact]
    public void Of_a_run_that_goes_back_the_first_transaction_is_doubted_and_later_ones_are_repeats()
    {
        var guard = Applied();
        Assert.Equal("doubtful", Judge(ref guard, At(10, 20, 1), Second));
        Assert.Equal("doubtful", Judge(ref guard, At(10, 22, 1), Second));
        Assert.Equal("repeat", Judge(ref guard, At(30, 40, 2), Second));
        Assert.Equal("new", Judge(ref guard, At(50, 60, 3), Second));
        Assert.Equal("new", Judge(ref guard, At(70, 80, 4), Second));
        Assert.Equal(At(70, 80, 4), guard.Highest);
    }

    [Fact]
    public void Each_run_that_begins_with_an_older_commit_is_doubted_anew()
    {
        var guard = Applied();
        Assert.Equal("doubtful", Judge(ref guard, At(10, 62, 4), Second));
        Assert.Equal("doubtful", Judge(ref guard, At(10, 72, 5), Third));
        Assert.Equal("new", Judge(ref guard, At(80, 82, 6), Third));
    }

    [Fact]
    public void A_transaction_that_lies_between_the_rows_of_the_one_before_is_doubted_up_to_where_that_ended()
    {
        var guard = Applied();
        Assert.Equal("doubtful", Judge(ref guard, At(50, 58, 4), Second));
        Assert.Equal("new", Judge(ref guard, At(50, 64, 4), Second));
    }

    [Fact]
    public void Without_runs_all_that_goes_back_is_doubted_and_without_a_source_all_is_applied_again()
    {
        var guard = Applied();
        Assert.Equal("doubtful", Judge(ref guard, At(10, 20, 1), 0));
        Assert.Equal("doubtful", Judge(ref guard, At(30, 40, 2), 0));

        guard = Applied() with { CanAsk = false };
        Assert.Equal("new", Judge(ref guard, At(10, 20, 1), Second));
        Assert.Equal("new", Judge(ref guard, At(30, 40, 2), Second));
        Assert.Equal(At(30, 40, 2), guard.Highest);

        guard = Applied() with { IsExact = true };
        Assert.Equal("repeat", Judge(ref guard, At(10, 20, 1), 0));
        Assert.Equal("repeat", Judge(ref guard, At(30, 40, 2), 0));
    }

    [Fact]
    public void A_truncate_was_applied_exactly_if_something_behind_it_was()
    {
        var guard = Applied();
        Assert.True(guard.IsRepeatedTruncate(At(10, 20, 1), Second));
        Assert.True(guard.IsRepeatedTruncate(At(50, 60, 3), First));
        Assert.False(guard.IsRepeatedTruncate(At(10, 72, 4), Second));
        Assert.False(guard.IsRepeatedTruncate(At(70, 72, 4), First));
    }

    private static RepeatGuard Applied()
    {
        var guard = new RepeatGuard(SourcePosition.None, CanAsk: true);
        foreach (var (commit, lsn, transaction) in new[] { (10UL, 20UL, 1U), (30UL, 40UL, 2U), (50UL, 60UL, 3U) })
        {
            Assert.Equal("new", Judge(ref guard, At(commit, lsn, transaction), First));
        }

        return guard;
    }

    private static string Judge(ref RepeatGuard guard, SourcePosition position, ulong run)
    {
        var judged = guard.IsRepeat(position, run) ? "repeat" : guard.IsDoubtful(position, run) ? "doubtful" : "new";
        guard = guard.Behind(position, run);
        return judged;
    }

    private static SourcePosition At(ulong commit, ulong lsn, uint transaction) => new(commit, lsn, transaction);
}

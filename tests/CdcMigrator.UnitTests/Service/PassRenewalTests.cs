using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Verifying;

namespace CdcMigrator.UnitTests.Service;

/// <summary>What was compared is compared again before it counts no more.</summary>
public sealed class PassRenewalTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Within = TimeSpan.FromHours(24);

    [Theory]
    [InlineData(11.9, 0, false)]
    [InlineData(12, 0, true)]
    [InlineData(3.9, 10, false)]
    [InlineData(4, 10, true)]
    public void A_pass_begins_at_half_of_its_time_and_earlier_where_it_takes_long(double age, double took, bool due) =>
        Assert.Equal(due, PassRenewal.IsDue([Covered(1), Covered(age)], Ended(age, took), Within, null, Now));

    [Fact]
    public void A_table_that_is_not_covered_is_passed_again_and_not_without_end()
    {
        TableState[] states = [Covered(1), new TableState { Table = new TableName("public", "t") }];
        Assert.True(PassRenewal.IsDue(states, null, Within, null, Now));
        Assert.False(PassRenewal.IsDue(states, Ended(2.9, 0), Within, null, Now));
        Assert.True(PassRenewal.IsDue(states, Ended(3, 0), Within, null, Now));
    }

    [Fact]
    public void A_pass_that_brought_nothing_is_repeated_after_a_while_and_not_at_once()
    {
        TableState[] states = [Covered(20)];
        Assert.False(PassRenewal.IsDue(states, Ended(2.9, 1), Within, null, Now));
        Assert.True(PassRenewal.IsDue(states, Ended(3, 1), Within, null, Now));
    }

    [Fact]
    public void Nothing_is_begun_beside_a_pass_and_nothing_without_tables()
    {
        Assert.False(PassRenewal.IsDue([Covered(30)], new VerificationRun(1, "running", "cutover", Now, null, []), Within, null, Now));
        Assert.False(PassRenewal.IsDue([], null, Within, null, Now));
    }

    [Fact]
    public void A_pass_that_began_before_the_source_was_read_anew_is_repeated_at_once()
    {
        Assert.True(PassRenewal.IsDue([Covered(1)], Ended(0.9, 0.1), Within, Now - TimeSpan.FromHours(0.5), Now));
        var since = Now - TimeSpan.FromHours(0.5);
        Assert.True(PassRenewal.IsOvertaken([Covered(0.1), Covered(1)], Ended(0.9, 0.1), since, Now));
        Assert.False(PassRenewal.IsOvertaken([Covered(1)], new VerificationRun(1, "running", "reader", Now, null, []), since, Now));
        Assert.False(PassRenewal.IsOvertaken([Covered(1)], Ended(0.9, 0.1), Now - TimeSpan.FromHours(1), Now));
        Assert.False(PassRenewal.IsOvertaken([Covered(1)], Ended(0.9, 0.1), null, Now));

        // One since did not cover it: of other tables, or it failed. It is asked for again, unless a person stopped it.
        Assert.False(PassRenewal.IsOvertaken([Covered(1)], Ended(0.01, 0.1), since, Now));
        Assert.True(PassRenewal.IsOvertaken([Covered(1)], Ended(0.1, 0.1), since, Now));
        Assert.False(PassRenewal.IsOvertaken([Covered(1)], Ended(0.1, 0.1) with { State = "stopped" }, since, Now));
    }

    /// <summary>However long passes take that fit twice into the time: walked through by the minute, what was compared never is too old.</summary>
    [Theory]
    [InlineData(0.1)]
    [InlineData(5)]
    [InlineData(11.5)]
    public void What_is_known_never_grows_too_old(double tookHours)
    {
        var took = TimeSpan.FromHours(tookHours);
        var covered = Now;
        VerificationRun? last = new(1, "finished", "cutover", Now - took, Now, []);
        for (var at = Now; at < Now + TimeSpan.FromDays(14); at += TimeSpan.FromMinutes(1))
        {
            Assert.True(at - covered <= Within, $"{at}: compared at {covered}");
            if (last is { IsRunning: true } && at - last.RequestedAt >= took)
            {
                (last, covered) = (last with { State = "finished", FinishedAt = at }, last.RequestedAt);
            }

            if (PassRenewal.IsDue([new TableState { Table = new TableName("public", "t"), Covered = true, CoveredAt = covered }], last, Within, null, at))
            {
                last = new VerificationRun(last!.Run + 1, "running", "window", at, null, []);
            }
        }

        Assert.True(last!.Run is > 13 and < 50, $"{last.Run} passes");
    }

    private static TableState Covered(double hoursAgo) => new() { Table = new TableName("public", "orders"), Covered = true, CoveredAt = Now - TimeSpan.FromHours(hoursAgo) };

    private static VerificationRun Ended(double hoursAgo, double took) => new(1, "finished", "cutover", Now - TimeSpan.FromHours(hoursAgo + took), Now - TimeSpan.FromHours(hoursAgo), []);
}

using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Verifying;

namespace CdcMigrator.UnitTests.Service;

/// <summary>When a check is made again, and what it takes over from the last time.</summary>
public sealed class CheckRunnerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);
    private static readonly Dictionary<string, string> Asked = new() { ["a"] = "1" };

    [Theory]
    [InlineData(CheckState.Pass, 299, 1, 7, false)]
    [InlineData(CheckState.Pass, 300, 1, 7, true)]
    [InlineData(CheckState.Fail, 19, 1, 7, false)]
    [InlineData(CheckState.Fail, 20, 1, 7, true)]
    [InlineData(CheckState.InFlight, 14, 0.1, 7, false)]
    [InlineData(CheckState.InFlight, 15, 0.1, 7, true)]
    [InlineData(CheckState.Error, 15, 0.1, 7, true)]
    [InlineData(CheckState.Error, 99, 100, 7, false)]
    [InlineData(CheckState.Error, 100, 100, 7, true)]
    [InlineData(CheckState.Pass, 1999, 100, 7, false)]
    [InlineData(CheckState.InFlight, 1999, 100, 7, false)]
    [InlineData(CheckState.Pass, 2000, 100, 7, true)]
    [InlineData(CheckState.Pass, 1, 100, 8, true)]
    [InlineData(CheckState.Pass, -1, 100, 7, true)]
    public void A_check_is_made_by_age_sooner_where_it_does_not_pass_and_at_once_for_a_new_comparison(CheckState state, double age, double took, long run, bool expected)
    {
        var report = new CheckReport { Kind = CheckKind.Counts, At = Now - TimeSpan.FromSeconds(age), Took = TimeSpan.FromSeconds(took), Run = 7, Asked = Asked, Results = [new CheckResult("a", state, "x")] };
        Assert.Equal(expected, CheckRunner.IsDue(report, Asked, run, Interval, Now));
    }

    [Fact]
    public void What_was_never_checked_is_due() => Assert.True(CheckRunner.IsDue(null, Asked, 0, Interval, Now));

    [Fact]
    public void What_the_file_asks_otherwise_than_before_is_asked_at_once()
    {
        var report = new CheckReport { Kind = CheckKind.Rules, At = Now, Run = 7, Asked = Asked, Results = [new CheckResult("a", CheckState.Pass, "x")] };
        bool IsDue(params (string Name, string Fingerprint)[] asked) => CheckRunner.IsDue(report, asked.ToDictionary(thing => thing.Name, thing => thing.Fingerprint), 7, Interval, Now);
        Assert.False(IsDue(("a", "1")));
        Assert.True(IsDue(("a", "2")));
        Assert.True(IsDue(("a", "1"), ("b", "1")));
        Assert.True(IsDue(("b", "1")));
        Assert.True(IsDue());
    }

    [Fact]
    public void That_another_rule_passed_under_the_name_is_not_remembered()
    {
        var passed = new CheckReport { Kind = CheckKind.Rules, At = Now, Asked = Asked, Results = [new CheckResult("a", CheckState.Pass, "x") { PassedAt = Now }] };
        Assert.Equal(Now, CheckRunner.Carried([new CheckResult("a", CheckState.InFlight, "x")], passed.Against(Asked))[0].PassedAt);
        Assert.Null(CheckRunner.Carried([new CheckResult("a", CheckState.InFlight, "x")], passed.Against(new Dictionary<string, string> { ["a"] = "2" }))[0].PassedAt);
    }

    [Fact]
    public async Task What_cannot_be_decided_of_a_table_that_was_truncated_meanwhile_says_nothing_of_the_others()
    {
        var results = await CheckRunner.EachAsync(["a", "b", "c"], name => name, name => name != "b" ? Task.FromResult(new CheckResult(name, CheckState.Pass, "equal"))
            : throw new FaultException(FaultKind.Transient, "table-rewritten", "The source's b was truncated", "It is compared again"));
        Assert.Equal([("a", CheckState.Pass), ("b", CheckState.InFlight), ("c", CheckState.Pass)], results.Select(result => (result.Name, result.State)));
        await Assert.ThrowsAsync<FaultException>(() => CheckRunner.EachAsync(["a"], name => name, _ => throw new FaultException(FaultKind.Unreachable, "source-away", "x")));
    }

    [Fact]
    public void What_passed_before_is_remembered_while_it_is_undecided_and_forgotten_once_it_failed()
    {
        var at = Now - TimeSpan.FromMinutes(1);
        var passed = Report(new CheckResult("a", CheckState.Pass, "x") { PassedAt = at });
        var moving = Report([.. CheckRunner.Carried([new CheckResult("a", CheckState.InFlight, "x")], passed)]);
        Assert.Equal(at, moving.Results[0].PassedAt);
        Assert.Equal(at, CheckRunner.Carried([new CheckResult("a", CheckState.InFlight, "x")], moving)[0].PassedAt);
        var failed = Report([.. CheckRunner.Carried([new CheckResult("a", CheckState.Fail, "x")], moving)]);
        Assert.Null(failed.Results[0].PassedAt);
        Assert.Null(CheckRunner.Carried([new CheckResult("a", CheckState.InFlight, "x")], failed)[0].PassedAt);
        Assert.Null(CheckRunner.Carried([new CheckResult("b", CheckState.InFlight, "x")], passed)[0].PassedAt);
    }

    [Fact]
    public void What_does_not_pass_comes_first() => Assert.Equal(
        ["bad", "warned", "good"],
        CheckRunner.Carried(
            [new("good", CheckState.Pass, "x"), new("warned", CheckState.Fail, "x") { Severity = CdcMigrator.Domain.Preflight.Severity.Warning }, new("bad", CheckState.Fail, "x")], null).Select(result => result.Name));

    private static CheckReport Report(params CheckResult[] results) => new() { Kind = CheckKind.Rules, At = Now, Results = results };
}

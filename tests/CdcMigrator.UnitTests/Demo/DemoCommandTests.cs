using CdcMigrator.UnitTests.Cli;

namespace CdcMigrator.UnitTests.Demo;

public sealed class DemoCommandTests
{
    [Theory]
    [InlineData("--rows", "99", "--rows is 99 but must be at least 100")]
    [InlineData("--rate", "-1", "--rate is -1 but must be at least 0")]
    [InlineData("--kills", "-2", "--kills is -2 but must be at least 0")]
    public async Task A_demo_that_makes_no_sense_is_refused_before_anything_starts(string option, string value, string message)
    {
        var run = await CliRun.Of("demo", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_version_that_cannot_be_fetched_is_refused_with_those_that_can()
    {
        var run = await CliRun.Of("demo", "fetch-postgres", "--major", "9");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("Choose 17 or 18", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/tmp")]
    [InlineData("/no/such/cdcm-demo-1")]
    public async Task Stop_touches_nothing_that_is_not_a_demo(string folder)
    {
        var run = await CliRun.Of("demo", "stop", "--folder", folder);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("is not the folder of a demo", run.Error, StringComparison.Ordinal);
    }
}

namespace CdcMigrator.UnitTests.Cli;

/// <summary>Misuse is told in one or two lines, with exit code 2, and nothing is run.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("'statsu' is no verb of cdcm", "did you mean 'cdcm status'?", "statsu")]
    [InlineData("'shwo' is no verb of cdcm config", "did you mean 'cdcm config show'?", "config", "shwo")]
    [InlineData("'--wacth' is no option of cdcm status", "did you mean 'cdcm status --watch'?", "status", "--wacth")]
    [InlineData("'--ouptut' is no option of cdcm lag", "did you mean 'cdcm lag --output'?", "lag", "--ouptut")]
    [InlineData("'frobnicate' is no verb of cdcm", "'cdcm --help' lists what there is", "frobnicate")]
    [InlineData("cdcm config needs a verb: validate, show", "'cdcm config --help' shows what they do", "config")]
    [InlineData("Option '--file' is required", "'cdcm config show --help' shows how it is used", "config", "show")]
    [InlineData("--timeout is '5x' but must be a duration like", "status --help", "status", "--timeout", "5x")]
    [InlineData("--server is 'nonsense', which is not an http address", "status --help", "status", "--server", "nonsense")]
    [InlineData("Argument 'xml' not recognized", "status --help", "status", "-o", "xml")]
    [InlineData("Argument 'row' not recognized", "lag --help", "lag", "--by", "row")]
    [InlineData("Argument 'alive' not recognized", "health --help", "health", "alive")]
    public async Task Misuse_says_what_was_meant(string message, string fix, params string[] arguments)
    {
        var run = await CliRun.Of(arguments);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Contains(fix, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_server_from_the_environment_that_is_no_address_is_named()
    {
        var run = await CliRun.Of(new Dictionary<string, string> { ["CDCM_SERVER"] = "localhost" }, "status");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("CDCM_SERVER is 'localhost'", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_does_not_run_is_named_with_the_command_that_starts_it()
    {
        var run = await CliRun.Of("status", "--server", "http://127.0.0.1:1");
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("no cdcm service answers at http://127.0.0.1:1", run.Error, StringComparison.Ordinal);
        Assert.Contains("cdcm run -f FILE", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verbose_adds_the_stack_trace()
    {
        var run = await CliRun.Of("status", "-v", "--server", "http://127.0.0.1:1");
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_wins_over_missing_options()
    {
        var run = await CliRun.Of("config", "show", "--help");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Usage:", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_is_one_line_and_one_object()
    {
        var text = await CliRun.Of("version");
        var json = await CliRun.Of("version", "-o", "json");
        Assert.StartsWith("cdcm 0.1.0", text.Output, StringComparison.Ordinal);
        Assert.Contains("\"version\": \"0.1.0\"", json.Output, StringComparison.Ordinal);
    }
}

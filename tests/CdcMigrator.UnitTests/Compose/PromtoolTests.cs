using CdcMigrator.TestKit;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.UnitTests.Compose;

/// <summary>Prometheus' own tool on the configuration, the rules and the tests of the rules.</summary>
public sealed class PromtoolTests
{
    [Theory]
    [InlineData("check", "config", "prometheus.yml")]
    [InlineData("check", "rules", "rules/cdcmigrator.yml")]
    [InlineData("test", "rules", "tests/cdcmigrator_test.yml")]
    public async Task Promtool_accepts(string verb, string what, string file)
    {
        var tool = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "promtool")).FirstOrDefault(File.Exists);
        if (tool is null)
        {
            Assert.False(Environment.GetEnvironmentVariable("CDCM_REQUIRE_E2E") == "1", "promtool is required (CDCM_REQUIRE_E2E=1) but not on the PATH");
            Assert.Skip("no promtool on the PATH: apt-get install prometheus");
        }

        var result = await ProcessRun.RunAsync(tool, [verb, what, Repository.PathOf("compose", "prometheus", file)], new Dictionary<string, string>());
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }
}

using CdcMigrator.TestKit;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.UnitTests.Compose;

/// <summary>The examples of workflows, against a cdcm that only answers.</summary>
public sealed class OrchestrationTests
{
    [Fact]
    public async Task Every_step_of_the_dag_goes_by_exit_codes_and_json()
    {
        var python = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "python3")).FirstOrDefault(File.Exists);
        if (python is null)
        {
            Assert.Skip("no python3 on the PATH");
        }

        var result = await ProcessRun.RunAsync(
            python, ["-m", "unittest", "discover", "-s", Repository.PathOf("examples", "airflow")], new Dictionary<string, string> { ["PYTHONDONTWRITEBYTECODE"] = "1" });
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }
}

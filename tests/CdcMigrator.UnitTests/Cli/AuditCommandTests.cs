using System.Text.Json;
using CdcMigrator.Service.Api;
using CdcMigrator.UnitTests.Cutover.Planning;

namespace CdcMigrator.UnitTests.Cli;

/// <summary>What <c>cdcm audit</c>, <c>plan</c> and <c>benchmark</c> refuse before they connect anywhere.</summary>
public sealed class AuditCommandTests
{
    [Theory]
    [InlineData("audit", "--sample", "0%")]
    [InlineData("audit", "--sample", "101%")]
    [InlineData("audit", "--sample", "some")]
    [InlineData("audit", "--limit", "soon")]
    [InlineData("audit", "--jobs", "0")]
    [InlineData("plan", "--downtime", "5")]
    [InlineData("benchmark", "--top", "0")]
    [InlineData("benchmark", "--runs", "0")]
    [InlineData("benchmark", "--limit", "-1s")]
    public async Task A_wrong_option_is_named(string verb, string option, string value)
    {
        var run = await CliRun.Of(verb, "-f", "nowhere.yaml", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(option, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("nowhere.yaml", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_of_an_audit_connects_nowhere()
    {
        var folder = Directory.CreateTempSubdirectory("cdcm-plan-");
        try
        {
            var (file, audit, book) = (Path.Combine(folder.FullName, "m.yaml"), Path.Combine(folder.FullName, "audit.json"), Path.Combine(folder.FullName, "runbook.md"));
            await File.WriteAllTextAsync(file, "migration: shop\nsource: { connection: \"Host=127.0.0.1;Port=1;Database=x\" }\ntarget: { connection: \"Host=127.0.0.1;Port=1;Database=x\" }\nlog: { bootstrapServers: \"127.0.0.1:1\" }\ntables: [ public.orders ]\n", TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(audit, JsonSerializer.Serialize(AuditDocument.Of(Audits.Shop), ApiJson.Options), TestContext.Current.CancellationToken);
            var run = await CliRun.Of("plan", "-f", file, "--audit", audit, "--runbook", book, "-o", "json");
            Assert.Equal((0, $"written: {book}\n"), (run.ExitCode, run.Error));
            Assert.Contains("\"recommended\": \"ChangeDataCapture\"", run.Output, StringComparison.Ordinal);
            Assert.StartsWith("# Runbook: shop\n", await File.ReadAllTextAsync(book, TestContext.Current.CancellationToken), StringComparison.Ordinal);

            var refused = await CliRun.Of("plan", "-f", file, "--audit", Path.Combine(folder.FullName, "none.json"));
            Assert.Equal(2, refused.ExitCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

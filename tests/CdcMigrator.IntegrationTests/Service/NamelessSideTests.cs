using System.Net;
using System.Net.Sockets;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>A whole service one of whose sides has a host name that does not resolve, as after a node was lost together with the name's pod: it lives, and keeps the fence of the side it reaches.</summary>
public sealed class NamelessSideTests(PostgresFixture postgres) : IDisposable
{
    private const string Nowhere = "Host=nowhere.invalid;Port=5432;Username=x;Database=x;Timeout=2";
    private const string Table = "create table t(id int primary key, v text);";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cdcm-nameless");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_process_lives_says_what_it_waits_for_and_lifts_the_fence_of_an_attempt_that_died(bool isSource)
    {
        await using var closed = isSource ? await postgres.CreateSourceAsync(Table) : await postgres.CreateTargetAsync(Table);
        var side = new FencedSide(closed.DataSource, "nameless", [new TableName("public", "t")], "test", TimeProvider.System);
        await ControlSchema.MigrateAsync(closed.DataSource, Cancellation);
        await side.PrepareOpenAsync(Cancellation);
        await side.CloseAsync("a", 2, TimeSpan.FromSeconds(-1), Cancellation);
        Assert.Equal(FenceState.Closed, (await side.ReadAsync(Cancellation))?.State);

        await using var service = Cdcm.Start("run", "-f", await FileAsync(isSource ? closed.ConnectionString : Nowhere, isSource ? Nowhere : closed.ConnectionString));
        await UntilAsync(service, "the fence to be lifted", async () => (await side.ReadAsync(Cancellation))?.State == FenceState.Open);
        await UntilAsync(service, "what it waits for", () => Task.FromResult(service.Error.Contains("waiting", StringComparison.Ordinal) && service.Error.Contains("PostgreSQL does not answer: its host name does not resolve", StringComparison.Ordinal)));

        // Several looks of everything that asks a side later it is still there, and stops as it should.
        var looks = service.Error.Length;
        await closed.ExecuteAsync("insert into t values (1, 'open')");
        await side.CloseAsync("b", 3, TimeSpan.FromSeconds(-1), Cancellation);
        await UntilAsync(service, "the second fence to be lifted", async () => (await side.ReadAsync(Cancellation))?.State == FenceState.Open);
        Assert.True(service.Error.Length > looks, "nothing was said of the second fence");
        await service.SignalAsync("TERM");
        Assert.Equal(0, (await service.WaitAsync(Cancellation)).ExitCode);
    }

    [Fact]
    public async Task A_fault_of_the_way_forward_that_ends_the_process_does_not_while_a_side_is_closed()
    {
        await using var source = await postgres.CreateSourceAsync(Table);
        await using var target = await postgres.CreateTargetAsync(Table);
        var wrong = new Npgsql.NpgsqlConnectionStringBuilder(target.ConnectionString) { Username = "nobody" }.ConnectionString;
        var side = new FencedSide(source.DataSource, "nameless", [new TableName("public", "t")], "test", TimeProvider.System);
        await ControlSchema.MigrateAsync(source.DataSource, Cancellation);
        await side.PrepareOpenAsync(Cancellation);
        await side.CloseAsync("a", 2, TimeSpan.FromMinutes(5), Cancellation);

        await using var service = Cdcm.Start("run", "-f", await FileAsync(source.ConnectionString, wrong));
        await UntilAsync(service, "the way forward to end", () => Task.FromResult(service.Error.Contains("the way forward has ended", StringComparison.Ordinal)));
        await source.ExecuteAsync("update cdc_migrator.fence_state set lease_until = clock_timestamp() - interval '1 second'");
        await UntilAsync(service, "the fence to be lifted", async () => (await side.ReadAsync(Cancellation))?.State == FenceState.Open);
    }

    private async Task<string> FileAsync(string source, string target)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        listener.Stop();
        var file = Path.Combine(folder.FullName, "migration.yaml");
        await File.WriteAllTextAsync(file, $$"""
            migration: nameless
            source:  { kind: postgresql, connection: "{{source}}" }
            target:  { connection: "{{target}}" }
            log: embedded
            tables:  [ { source: public.t } ]
            service: { url: "{{address}}" }
            """, Cancellation);
        return file;
    }

    private static async Task UntilAsync(ProcessRun service, string what, Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (!await condition())
        {
            Assert.False(service.HasExited, $"the process ended while it was to bring {what}\n{service.Output}\n{service.Error}");
            Assert.False(limit.IsCancellationRequested, $"waited in vain for {what}\n{service.Output}\n{service.Error}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }
}

using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>An autovacuum that prevents wraparound does not give way to whoever waits for it.</summary>
public sealed class WraparoundTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_vacuum_that_prevents_wraparound_is_named_before_and_the_fence_does_not_keep_writers_waiting_for_it()
    {
        await using var server = await LocalPostgresServer.StartAsync(
            new LocalPostgresOptions { Settings = new Dictionary<string, string> { ["autovacuum_freeze_max_age"] = "100000", ["autovacuum_naptime"] = "1s", ["vacuum_freeze_min_age"] = "0" } }, Cancellation);
        await using var database = NpgsqlDataSource.Create(await server.CreateDatabaseAsync("aged", """
            create table orders(id int primary key, v text) with (autovacuum_enabled = off, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
            insert into orders select i, repeat('x', 500) from generate_series(1, 20000) i
            """, Cancellation));
        TableName[] tables = [new("public", "orders")];
        var fence = new SourceFence(database, tables, TimeProvider.System) { LockTimeout = TimeSpan.FromMilliseconds(50), Deadline = TimeSpan.FromHours(1) };
        await fence.PrepareAsync(Cancellation);
        Assert.Empty(await CheckAsync());

        await ExecuteAsync("do $$ begin for i in 1..100500 loop perform txid_current(); commit; end loop; end $$");
        while (!(await CheckAsync()).Contains("fence-wraparound-vacuum"))
        {
            await Task.Yield();
        }

        Assert.Equal(["fence-wraparound-vacuum", "fence-wraparound-due"], await CheckAsync());
        var fault = (await Assert.ThrowsAsync<FaultException>(() => fence.CloseAsync(Cancellation))).Fault;
        Assert.Equal("fence-locked", fault.Code);
        Assert.Contains("orders is locked by pid ", fault.Message, StringComparison.Ordinal);
        Assert.Contains("an autovacuum that prevents wraparound", fault.Message, StringComparison.Ordinal);
        await ExecuteAsync("insert into orders values (0, 'still open')");

        async Task<IReadOnlyList<string>> CheckAsync() =>
            [.. (await FenceReadiness.CheckAsync(database, "source", "m", tables, Cancellation)).Where(finding => finding.Severity != Severity.Info).Select(finding => finding.Code)];

        async Task ExecuteAsync(string sql)
        {
            await using var command = database.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }
}

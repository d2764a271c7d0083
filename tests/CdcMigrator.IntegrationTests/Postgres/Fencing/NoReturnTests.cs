using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Postgres.Resync;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>A side that is left without a way back.</summary>
public sealed class NoReturnTests(PostgresFixture postgres)
{
    private const string Schema = "create table orders(id int primary key, v text)";
    private static readonly TableName[] Tables = [new("public", "orders")];
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_side_that_was_left_without_a_way_back_says_so_and_nothing_is_applied_to_it_or_compared()
    {
        await using var left = await postgres.CreateSourceAsync(Schema);
        await using var right = await postgres.CreateTargetAsync(Schema);
        var (source, target) = (Side(left), Side(right));
        await ControlSchema.MigrateAsync(left.DataSource, Cancellation);
        await ControlSchema.MigrateAsync(right.DataSource, Cancellation);
        await source.PrepareOpenAsync(Cancellation);
        await target.PrepareSealedAsync(Cancellation);
        await left.ExecuteAsync("insert into cdc_migrator.progress (migration, topic, partition, next_offset, cluster_id, partition_count) values ('m', 'm.t', 0, 7, 'c', 2)");
        await source.CloseAsync("a", 2, Lease, Cancellation);
        Assert.True(await source.SealAsync("a", TimeSpan.Zero, aim: null, Cancellation));
        Assert.True(await target.OpenAsync("a", 2, Cancellation));
        Assert.True((await source.ReadAsync(Cancellation))!.NoReturn);
        Assert.False((await target.ReadAsync(Cancellation))!.NoReturn);

        // One that was never claimed would begin at the start of its log, with what this side has written itself.
        await using var apply = PostgresConnections.CreateApply(left.ConnectionString);
        await using var store = new PostgresLaneStore(
            apply, "m", new ApplySection(), null, new PostgresMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), TimeProvider.System, NullLogger.Instance);
        foreach (var partition in new[] { 0, 1 })
        {
            Assert.Equal("lane-frozen", (await Assert.ThrowsAsync<FaultException>(() => store.ClaimAsync(new LaneId("m.t", partition), new LogIdentity("c", "", 2), 0, Cancellation))).Fault.Code);
        }

        await store.ClaimAsync(new LaneId("m.cdc_migrator.fence", 0), new LogIdentity("c", "", 1), 0, Cancellation);
        Assert.Equal("direction-closed", (await Assert.ThrowsAsync<FaultException>(() => new VerificationStore(left.DataSource, "m").ClaimAsync(Cancellation))).Fault.Code);
        Assert.Equal("no-way-back", (await Assert.ThrowsAsync<FaultException>(() => new ResyncStore(left.DataSource, "m").RequestAsync(Tables, "test", Cancellation))).Fault.Code);

        // A turn that has one begins it.
        await target.CloseAsync("b", 3, Lease, Cancellation);
        Assert.True(await target.SealAsync("b", TimeSpan.Zero, new DirectionStart([], 1, []), Cancellation));
        Assert.False((await target.ReadAsync(Cancellation))!.NoReturn);
    }

    private static FencedSide Side(TestDatabase database) => new(database.DataSource, "m", Tables, "test", TimeProvider.System);
}

using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Service;

public sealed class FenceWatchTests(PostgresFixture postgres)
{
    private static readonly LaneId Lane = new("shop.cdc_migrator.fence", 2);

    [Fact]
    public async Task A_marker_met_by_one_process_is_known_to_every_other_and_to_the_next_life()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(target.DataSource, cancellationToken);
        var (owner, other) = (New(target, "shop"), New(target, "shop"));
        Assert.False(await other.SawAsync("marker:1", cancellationToken));

        owner.Observe(Lane, 7, new FenceRow("marker:1", "now", SourcePosition.None));
        owner.Observe(Lane, 7, new FenceRow("marker:1", "now", SourcePosition.None));

        Assert.True(await owner.SawAsync("marker:1", cancellationToken));
        Assert.True(await other.SawAsync("marker:1", cancellationToken));
        Assert.False(await other.SawAsync("marker:2", cancellationToken));
        Assert.False(await New(target, "another").SawAsync("marker:1", cancellationToken));
    }

    [Fact]
    public void A_marker_that_cannot_be_noted_stops_the_lane_in_front_of_it()
    {
        using var closed = PostgresConnections.CreateControl("Host=127.0.0.1;Port=1;Username=postgres;Database=x;Timeout=2");
        var fault = Assert.Throws<FaultException>(() => new FenceWatch(new MarkerStore(closed, "shop"), new PulseStore(closed, "shop")).Observe(Lane, 7, new FenceRow("marker:1", "now", SourcePosition.None))).Fault;
        Assert.Equal(FaultKind.Unreachable, fault.Kind);
    }

    [Fact]
    public async Task A_pulse_met_is_noted_and_only_the_next_one_is_written()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync();
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.PrepareSourceAsync(source.DataSource, cancellationToken);
        await ControlSchema.MigrateAsync(target.DataSource, cancellationToken);
        var store = new PulseStore(target.DataSource, "shop");
        Assert.Null(await store.ReadAsync(cancellationToken));
        await store.BeginAsync("cdcm_shop", cancellationToken);
        var before = (await store.ReadAsync(cancellationToken))!;

        await Task.WhenAll(store.WriteAsync(source.DataSource, before, cancellationToken), store.WriteAsync(source.DataSource, before, cancellationToken));

        Assert.Equal(["pulse:shop|1"], await source.RowsAsync("select * from cdc_migrator.fence"));
        var written = (await store.ReadAsync(cancellationToken))!;
        Assert.Equal((1L, 0L, null), (written.Pulse, written.Seen, written.Broken));
        Assert.NotNull(written.Lsn);
        New(target, "shop").Observe(Lane, 1, new FenceRow("pulse:shop", "1", SourcePosition.None));
        await store.BreakAsync(written, 1, cancellationToken);
        Assert.Equal((1L, null), ((await store.ReadAsync(cancellationToken))!.Seen, (await store.ReadAsync(cancellationToken))!.Broken));
    }

    private static FenceWatch New(TestDatabase target, string migration) => new(new MarkerStore(target.DataSource, migration), new PulseStore(target.DataSource, migration));
}

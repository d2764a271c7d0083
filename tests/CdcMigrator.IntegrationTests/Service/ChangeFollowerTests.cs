using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.Service.Sources;
using CdcMigrator.Service.Verifying;
using CdcMigrator.Streaming.Following;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.TestKit.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>When the reconciler's reader is past everything: only once it is past every partition it reads.</summary>
public sealed class ChangeFollowerTests : IDisposable
{
    private const string Fence = "shop.cdc_migrator.fence";
    private const string Orders = "shop.public.orders";
    private readonly InProcessBroker broker = new();
    private readonly LogInspector inspector;

    public ChangeFollowerTests() => inspector = new LogInspector(broker.BootstrapServers, incarnation: "x");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_barrier_that_the_broker_answers_without_a_partition_that_is_read_is_none()
    {
        // The broker does not know the topic yet, as one that has just come back may not.
        await broker.ProduceAsync(Fence, 0, "{}", null);
        await using var follower = Start(new Dictionary<LaneId, long> { [new LaneId(Fence, 0)] = 0, [new LaneId(Orders, 3)] = 0 });
        var fault = (await Assert.ThrowsAsync<FaultException>(() => follower.PassAsync(Token))).Fault;
        Assert.Equal((FaultKind.Unreachable, "partitions-missing"), (fault.Kind, fault.Code));
        Assert.Contains("shop.public.orders", fault.Message, StringComparison.Ordinal);
        Assert.Equal("partitions-missing", (await Assert.ThrowsAsync<FaultException>(() => follower.BehindAsync(Token))).Fault.Code);

        // Asked again once the broker knows it.
        await broker.ProduceAsync(Orders, 3, "{}", null);
        await follower.PassAsync(Token);
        Assert.Equal(0, await follower.BehindAsync(Token));
        Assert.Equal(1, follower.Positions[new LaneId(Orders, 3)]);
    }

    [Fact]
    public async Task A_topic_that_comes_up_is_read_from_its_beginning_once_it_is_asked_how_far_reading_is()
    {
        await broker.ProduceAsync(Fence, 0, "{}", null);
        await using var follower = Start(new Dictionary<LaneId, long> { [new LaneId(Fence, 0)] = 0 });
        await broker.ProduceAsync(Orders, 2, "{}", null);
        while (await follower.BehindAsync(Token) > 0 || follower.Positions.GetValueOrDefault(new LaneId(Orders, 2)) < 1)
        {
            await Task.Delay(10, Token);
        }

        Assert.Equal(1, follower.Positions[new LaneId(Orders, 2)]);
    }

    public void Dispose()
    {
        inspector.Dispose();
        broker.Dispose();
    }

    private ChangeFollower Start(Dictionary<LaneId, long> offsets) => new(
        observe => LogFollower.Start(new LogFollowerOptions { BootstrapServers = broker.BootstrapServers, RetryInterval = TimeSpan.FromMilliseconds(50) }, observe, NullLoggerFactory.Instance),
        new RecordReader(ReadingSettings.ForEmbeddedLog("shop"), [], new WriterSchemas()), new Dictionary<TableName, ChangeIndex>(), null, new MarkedSource(broker), inspector, [Orders, Fence], "m",
        new SeesAll(), offsets, TimeProvider.System);

    private sealed class SeesAll : ISourceView
    {
        public bool Sees(ulong transaction) => true;

        public bool IsPast(ISourceView earlier) => true;

        public override string ToString() => "all";
    }

    /// <summary>A source whose markers are in the log as soon as they are written.</summary>
    private sealed class MarkedSource(InProcessBroker broker) : IMigrationSource
    {
        public ISourceRows Rows => throw new NotSupportedException();

        public Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<SourceIdentity> ReadIdentityAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> IsConfirmedAsync(ulong position, CancellationToken cancellationToken) => Task.FromResult(true);

        public async Task<FenceMarker> WriteMarkerAsync(string owner, CancellationToken cancellationToken)
        {
            var id = $"{owner}:{Guid.NewGuid():N}";
            await broker.ProduceAsync(
                Fence, 0, $$"""{"id":"{{id}}"}""", $$"""{"before":null,"after":{"id":"{{id}}"},"source":{"schema":"cdc_migrator","table":"fence","txId":1,"lsn":1,"snapshot":"false"},"op":"c"}""");
            return new FenceMarker(id, 1);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

using BenchmarkDotNet.Attributes;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Postgres.Apply;

namespace CdcMigrator.Benchmarks.Micro;

/// <summary>From a decoded batch to what goes over the wire: the net effect a key, its groups, and COPY's text.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class EncodeBenchmarks
{
    private readonly ChangeBatch batch = new();
    private NetEffect net = null!;
    private RowGroup group = null!;

    [GlobalSetup]
    public void Fill()
    {
        var decoder = SampleOrders.Decoder();
        var records = SampleOrders.Json();
        batch.Reset(records[0].Lane, 0);
        foreach (var record in records)
        {
            decoder.Decode(record, batch);
            batch.TakeIn(record.Offset);
        }

        net = NetEffect.Of(batch, 0, batch.Changes.Count);
        group = net.Group()[0];
    }

    [Benchmark(OperationsPerInvoke = SampleOrders.Rows)]
    public int NetEffectAndGroups() => NetEffect.Of(batch, 0, batch.Changes.Count).Group().Count;

    [Benchmark(OperationsPerInvoke = SampleOrders.Rows)]
    public Task CopyToText() => CopyText.WriteAsync(net, group, ordinals: false, Stream.Null, CancellationToken.None);
}

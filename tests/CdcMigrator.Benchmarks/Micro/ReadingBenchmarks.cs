using BenchmarkDotNet.Attributes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Reconciliation.Reading;

namespace CdcMigrator.Benchmarks.Micro;

/// <summary>The reconciler's reading of a record: key and source block, the row passed over; time and bytes allocated a record.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class ReadingBenchmarks
{
    private readonly RecordReader reader = SampleOrders.Reader();
    private readonly LogRecord[] json = SampleOrders.Json();
    private readonly LogRecord[] jsonWithSchema = SampleOrders.JsonWithSchema();
    private readonly LogRecord[] avro = SampleOrders.Avro();

    [Benchmark(Baseline = true, OperationsPerInvoke = SampleOrders.Rows)]
    public int Json() => Read(json);

    [Benchmark(OperationsPerInvoke = SampleOrders.Rows)]
    public int JsonWithSchema() => Read(jsonWithSchema);

    [Benchmark(OperationsPerInvoke = SampleOrders.Rows)]
    public int Avro() => Read(avro);

    private int Read(LogRecord[] records)
    {
        foreach (var record in records)
        {
            if (reader.Read(record) is not { Kind: RecordKind.Change, Change.Key: not null, Doubt: null })
            {
                throw new InvalidOperationException("not read");
            }
        }

        return records.Length;
    }
}

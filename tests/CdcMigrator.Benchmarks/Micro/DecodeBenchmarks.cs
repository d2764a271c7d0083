using BenchmarkDotNet.Attributes;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Benchmarks.Micro;

/// <summary>From a record's bytes to PostgreSQL's text in a batch; time and bytes allocated a row.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class DecodeBenchmarks
{
    private readonly DebeziumDecoder decoder = SampleOrders.Decoder();
    private readonly ChangeBatch batch = new();
    private readonly LogRecord[] json = SampleOrders.Json();
    private readonly LogRecord[] jsonWithSchema = SampleOrders.JsonWithSchema();
    private readonly LogRecord[] avro = SampleOrders.Avro();

    [Benchmark(Baseline = true, OperationsPerInvoke = SampleOrders.Rows)]
    public int Json() => Decode(json);

    [Benchmark(OperationsPerInvoke = SampleOrders.Rows)]
    public int JsonWithSchema() => Decode(jsonWithSchema);

    [Benchmark(OperationsPerInvoke = SampleOrders.Rows)]
    public int Avro() => Decode(avro);

    private int Decode(LogRecord[] records)
    {
        batch.Reset(records[0].Lane, 0);
        foreach (var record in records)
        {
            if (decoder.Decode(record, batch).Kind != DecodeKind.Change)
            {
                throw new InvalidOperationException("not decoded");
            }

            batch.TakeIn(record.Offset);
        }

        return batch.Changes.Count;
    }
}

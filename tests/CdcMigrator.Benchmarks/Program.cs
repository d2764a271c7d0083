using BenchmarkDotNet.Running;
using CdcMigrator.Benchmarks.Compare;
using CdcMigrator.Benchmarks.Fencing;
using CdcMigrator.Benchmarks.Sides;

// compare: the whole path against the Debezium JDBC sink and PostgreSQL's own limits. micro: decoding and encoding alone, by BenchmarkDotNet. sides: comparing. fence: closing and opening a side.
const string Usage = """
    usage: bench.sh [compare] [--quick | --tiny | --rows N] [--only WORKLOADS] [--output FOLDER] [--hold]
           bench.sh micro [BenchmarkDotNet's options]
           bench.sh sides               full comparisons of PostgreSQL and of MariaDB with PostgreSQL, held against plain digests and plain reads of both sides
           bench.sh fence               closing and opening a side of 1,000 tables without writers and under 8 of them; every acknowledged write is looked for

      --quick     a quarter of the rows, one setting of the JDBC sink
      --tiny      so few rows that only the program itself is tested
      --rows      rows of the insert workload, from which the others follow (400000)
      --only      of insert,update,mixed,wide,latency,backlog,tables,stall those named
      --output    where results.md and results.json are written (artifacts/benchmarks)
      --hold      afterwards keep everything up and read commands: 'cdcm WORKLOAD FORMAT [cdcm.dll OF ANOTHER BUILD]', 'quit'
    """;

if (args is ["micro", .. var rest])
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(rest.Length == 0 ? ["--filter", "*"] : rest);
    return 0;
}

if (args is ["sides"])
{
    await PostgresSidesRun.RunAsync(2_000_000);
    await MariaDbSidesRun.RunAsync(1_000_000);
    return 0;
}

if (args is ["fence"])
{
    await FenceRun.RunAsync(1_000, 0);
    await FenceRun.RunAsync(1_000, 8);
    return 0;
}

if (CompareOptions.Parse(args is ["compare", .. var others] ? others : args) is not { } options)
{
    Console.Error.WriteLine(Usage);
    return 2;
}

try
{
    return await Comparison.RunAsync(options);
}
catch (Exception e)
{
    // Caught, so that what was started is stopped on the way here.
    Console.Error.WriteLine(e);
    return 1;
}

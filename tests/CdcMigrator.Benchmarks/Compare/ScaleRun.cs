using System.Globalization;
using CdcMigrator.TestKit.Events;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>
/// Records written here in Debezium's form, straight into Kafka: the same number in one table and in 500, and rows of 1 MB against a target that stands still.
/// </summary>
internal sealed class ScaleRun(Rig rig, Report report)
{
    private const int ManyTables = 500;
    private static readonly TimeSpan StallTime = TimeSpan.FromSeconds(15);

    /// <summary>Processor time an event must not grow with the number of tables, as long as a table's transactions are as large.</summary>
    public async Task TablesAsync(int rows)
    {
        foreach (var tables in new[] { 1, Math.Min(ManyTables, Math.Max(2, rows / 200)) })
        {
            var prefix = $"bench{tables}tables";
            var names = Enumerable.Range(0, tables).Select(i => $"t{i}").ToList();
            await FillAsync(prefix, names, tables == 1 ? 4 : 1, rows, i => [("id", (long)i), ("v", $"row {i}"), ("n", i % 7)]);
            var connection = await CreateAsync(names, "(id bigint primary key, v text, n int)");
            await using var target = NpgsqlDataSource.Create(connection);
            await using var run = CdcmRun.Start(rig, prefix, "json", names, connection, connector: null);
            var (rate, _, _) = await Progress.MeasureAsync(target, rows, run.CheckAsync);
            var count = 0L;
            foreach (var name in names)
            {
                var found = await Rig.ScalarAsync<long>(target, $"select count(*) from {name}");
                if (tables > 1 && found != rows / tables)
                {
                    report.Say($"{name}: {found} rows, progress {await Rig.ScalarAsync<string>(target, $"select string_agg(next_offset::text || ' at ' || lsn, ', ') from cdc_migrator.progress where topic like '%.{name}'")}");
                }

                count += found;
            }

            var measured = string.Create(CultureInfo.InvariantCulture,
                $"{rate:N0} records/s, {ProcessorTime.Of(run.ProcessId).TotalMicroseconds / rows:N1} µs of the process (its start included) a record, peak resident memory {run.PeakMb:N0} MB");
            var what = $"{rows:N0} inserted rows in {tables} table{(tables == 1 ? ", 4 partitions" : "s of 1 partition")}";
            if (count == rows)
            {
                report.Add(what, measured);
            }
            else
            {
                report.Fail(what, $"{measured}; BUT {count} ROWS");
            }
        }
    }

    /// <summary>Memory under a limit while nothing can be applied, and that everything is applied afterwards.</summary>
    public async Task StallAsync(int megabytes)
    {
        const string Prefix = "benchstall";
        var text = new string('x', 1_000_000);
        await FillAsync(Prefix, ["big"], 4, megabytes, i => [("id", (long)i), ("v", text)]);
        var connection = await CreateAsync(["big"], "(id bigint primary key, v text)");
        await using var target = NpgsqlDataSource.Create(connection);
        await using var locker = await target.OpenConnectionAsync();
        var transaction = await locker.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("lock table big in access exclusive mode", locker))
        {
            await command.ExecuteNonQueryAsync();
        }

        await using var run = CdcmRun.Start(rig, Prefix, "json", ["big"], connection, connector: null, new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "0x20000000" });
        await Task.Delay(StallTime);
        await run.CheckAsync();
        var stalled = run.ResidentMb;
        await transaction.DisposeAsync();
        await Rig.WaitAsync(async () =>
        {
            await run.CheckAsync();
            return await Rig.ScalarAsync<long>(target, "select count(*) from big") == megabytes;
        });
        report.Add($"{megabytes:N0} rows of 1 MB, the table locked for {StallTime.TotalSeconds:N0} s, managed memory limited to 512 MB",
            string.Create(CultureInfo.InvariantCulture, $"resident {stalled:N0} MB while stalled, {run.PeakMb:N0} MB at the peak; all rows applied afterwards"));
    }

    private async Task FillAsync(string prefix, List<string> tables, int partitions, int rows, Func<int, (string, object?)[]> row)
    {
        var client = new ClientConfig { BootstrapServers = rig.Kit.BootstrapServers };
        using var admin = new AdminClientBuilder(client).Build();
        await admin.CreateTopicsAsync(tables.Select(table => new TopicSpecification
        {
            Name = $"{prefix}.public.{table}",
            NumPartitions = partitions,
            Configs = new Dictionary<string, string> { ["max.message.bytes"] = "8388608" },
        }));
        using var producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig(client) { EnableIdempotence = true, LingerMs = 20, MessageMaxBytes = 8 << 20, QueueBufferingMaxKbytes = 64 << 10 }).Build();
        var builders = tables.Select(table => new DebeziumEventBuilder($"public.{table}") { Prefix = prefix }).ToList();
        for (var i = 0; i < rows; i++)
        {
            var builder = builders[i % tables.Count];
            var record = builder.NextTransaction().Insert(row(i));
            while (true)
            {
                try
                {
                    producer.Produce(record.Lane.Topic, new Message<byte[]?, byte[]?> { Key = record.Key, Value = record.Value });
                    break;
                }
                catch (ProduceException<byte[]?, byte[]?> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
                {
                    producer.Poll(TimeSpan.FromMilliseconds(50));
                }
            }
        }

        producer.Flush(TimeSpan.FromMinutes(2));
    }

    private async Task<string> CreateAsync(List<string> tables, string columns)
    {
        var connection = await rig.CreateTargetAsync();
        await using var target = NpgsqlDataSource.Create(connection + ";Pooling=false");
        await using var command = target.CreateCommand(string.Join(";", tables.Select(table => $"create table {table} {columns}")));
        await command.ExecuteNonQueryAsync();
        return connection;
    }
}

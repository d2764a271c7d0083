using CdcMigrator.Debezium;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Streaming;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Embedded;

/// <summary>Source, embedded log, pipeline, applier, target: the real parts, dropped in the middle of it over and over.</summary>
public sealed class WholePathTests(PostgresFixture postgres)
{
    private const string Schema = """
        create type mood as enum ('ok', 'très bad');
        create table customers(id int primary key, mail text unique, notes text, m mood default 'ok');
        alter table customers alter column notes set storage external;
        create table orders(customer int not null references customers, no int, amount numeric(12,2), at timestamptz default now(), tags text[], primary key (customer, no));
        """;

    private readonly string[] tables = ["public.customers", "public.orders"];

    [Fact]
    public async Task Target_equals_source_though_everything_is_dropped_and_made_anew_again_and_again()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema);
        await source.ExecuteAsync("""
            insert into customers select g, 'c' || g || '@x', repeat(chr(64 + g % 60), 6000), 'ok' from generate_series(1, 3000) g;
            insert into orders select g % 3000 + 1, g, g / 7.0, now(), array['a', null, 'ü'] from generate_series(1, 6000) g;
            """);
        await ControlSchema.MigrateAsync(target.DataSource, CancellationToken.None);
        var migration = $"w{Guid.NewGuid():N}"[..20];
        using var writing = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 3).Select(seed => Task.Run(() => WriteAsync(source, seed, writing.Token))).ToArray();
        var life = 0;
        var snapshotLives = 0;
        while (true)
        {
            life++;
            await using var world = await World.StartAsync(source, target, migration, tables);
            // The rows are more than may be in flight: a life that ends at once ends in its snapshot, however fast the machine is.
            var fenced = await world.RunAsync(life == 1 ? TimeSpan.Zero : life < 8 ? TimeSpan.FromMilliseconds(200 + (350 * life)) : TimeSpan.FromSeconds(2));
            Assert.Null(fenced);
            snapshotLives += world.Log.Status.Phase == EmbeddedLogPhase.Snapshot ? 1 : 0;
            if (life < 10)
            {
                continue;
            }

            await writing.CancelAsync();
            await Task.WhenAll(writers);
            var lsn = await source.ScalarAsync<string>("insert into cdc_migrator.fence values ('marker:1', 'x'); select pg_current_wal_insert_lsn()::text");
            await world.UntilConfirmedAsync(source, lsn!);
            break;
        }

        Assert.True(snapshotLives > 0, "no life ended in its snapshot");
        foreach (var table in tables)
        {
            var sql = $"select * from {table} order by 1, 2";
            Assert.Equal(await source.RowsAsync(sql), await target.RowsAsync(sql));
        }

        await source.ExecuteAsync($"select pg_drop_replication_slot('cdcm_{migration}') from (select pg_terminate_backend(active_pid), pg_sleep(0.5) from pg_replication_slots where slot_name = 'cdcm_{migration}') s");
    }

    private static async Task WriteAsync(TestDatabase source, int seed, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        while (!cancellationToken.IsCancellationRequested)
        {
            var id = (random.Next(1000) * 3) + seed + 1;
            var sql = random.Next(6) switch
            {
                0 => $"update customers set m = 'très bad', mail = 'n{random.Next()}@x' where id = {id}",
                1 => $"update customers set notes = repeat('n', {random.Next(9000)}) where id = {id}",
                2 => $"delete from orders where customer = {id}; delete from customers where id = {id}",
                3 => $"insert into customers values ({id}, 'new{id}@x', null) on conflict do nothing; insert into orders select {id}, {random.Next(100000)}, 1 where exists (select from customers where id = {id}) on conflict do nothing",
                4 => $"update orders set no = no + 100000 where customer = {id} and no < 100000",
                _ => $"update customers set mail = mail where id between {id} and {id + 30} and id % 3 = {(seed + 1) % 3}",
            };
            try
            {
                await source.ExecuteAsync(sql);
            }
            catch (PostgresException)
            {
                // Unique conflicts and deadlocks among the writers belong to the load.
            }
        }
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly NpgsqlDataSource apply;
        private readonly NpgsqlDataSource read;
        private readonly PostgresLaneStore store;
        private readonly ApplyPipeline pipeline;

        private World(NpgsqlDataSource apply, NpgsqlDataSource read, PostgresLaneStore store, EmbeddedLog log, ApplyPipeline pipeline)
        {
            this.apply = apply;
            this.read = read;
            this.store = store;
            Log = log;
            this.pipeline = pipeline;
        }

        public EmbeddedLog Log { get; }

        public static async Task<World> StartAsync(TestDatabase source, TestDatabase target, string migration, string[] tables)
        {
            var mappings = tables.Select(TableName.Parse).Select(table => new TableMapping { Source = table, Target = table }).ToList();
            var apply = PostgresConnections.CreateApply(target.ConnectionString);
            var read = PostgresConnections.CreateSourceRead(source.ConnectionString);
            var metrics = Metrics.WithCustomRegistry(Metrics.NewCustomRegistry());
            var store = new PostgresLaneStore(apply, migration, new ApplySection(), new SourceRows(read, TimeProvider.System), new PostgresMetrics(metrics), TimeProvider.System, NullLogger.Instance);
            var log = await EmbeddedLog.StartAsync(new EmbeddedLogOptions
            {
                Migration = migration,
                SourceConnection = source.ConnectionString,
                TargetConnection = target.ConnectionString,
                Tables = mappings,
                TopicPrefix = "w",
                ReadProgress = store.ReadProgressAsync,
            });
            var routes = await TargetCatalog.LoadAsync(target.DataSource, mappings, CancellationToken.None);
            var pipeline = new ApplyPipeline(
                new StreamingOptions
                {
                    BootstrapServers = log.BootstrapServers,
                    Group = "cdcm-w",
                    Topics = [.. mappings.Select(table => EmbeddedLog.TopicOf("w", table.Source))],
                    FenceTopic = EmbeddedLog.TopicOf("w", new TableName("cdc_migrator", "fence")),
                    Incarnation = log.Incarnation,
                },
                () => new DebeziumDecoder(DebeziumSettings.ForEmbeddedLog("w"), () => routes, null),
                store, null, null, new StreamingMetrics(metrics), TimeProvider.System, NullLoggerFactory.Instance);
            await pipeline.StartAsync();
            return new World(apply, read, store, log, pipeline);
        }

        /// <summary>Lets it run; returns what halted, if anything did.</summary>
        public async Task<string?> RunAsync(TimeSpan time)
        {
            await Task.Delay(time);
            return Halted();
        }

        public async Task UntilConfirmedAsync(TestDatabase source, string lsn)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            while (await source.ScalarAsync<bool>($"select confirmed_flush_lsn >= '{lsn}'::pg_lsn from pg_replication_slots where slot_name = '{Log.SlotName}'") is false)
            {
                Assert.Null(Halted());
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(90), $"not confirmed: {Log.Status}, {string.Join("; ", pipeline.Status().Lanes)}");
                await Task.Delay(50);
            }
        }

        public async ValueTask DisposeAsync()
        {
            // As abrupt as the objects allow: no drain, and the log first.
            await Log.DisposeAsync();
            await pipeline.DisposeAsync();
            await store.DisposeAsync();
            await apply.DisposeAsync();
            await read.DisposeAsync();
        }

        private string? Halted() =>
            Log.Status.Stopped ? Log.Status.Fault!.ToString()
            : pipeline.Status().Lanes.FirstOrDefault(lane => lane.State == LaneState.Halted)?.ToString();
    }
}

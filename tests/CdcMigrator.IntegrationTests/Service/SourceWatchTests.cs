using System.Collections.Concurrent;
using System.Net;
using System.Text;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Postgres.Preflight;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Service.Watching;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>A connector that has failed, between real databases and a Connect from memory.</summary>
public sealed class SourceWatchTests(PostgresFixture postgres)
{
    private const string Slot = "cdcm_restarted";

    [Fact]
    public async Task A_failed_connector_is_restarted_though_the_broker_is_away_and_not_once_its_slot_is_gone()
    {
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(postgres, token);
        await scene.LookAsync(token);
        Assert.Empty(scene.Watch.Report.Faults);

        // Its first failure: restarted by itself, and running again.
        scene.Connect.Task = "FAILED";
        await scene.LookAsync(token);
        Assert.Equal("Connector shop-source, task 0 has failed: java.io.IOException: gone. It is restarted by itself in 2 s (1 of 7 times)", scene.Failure);
        await scene.RestartsAsync(1, token);
        await scene.LookAsync(token);
        Assert.Empty(scene.Watch.Report.Faults);

        // A slot that is gone would be made again, without what it had.
        await scene.Source.ExecuteAsync($"select pg_drop_replication_slot('{Slot}')");
        scene.Connect.Task = "FAILED";
        await scene.LookAsync(token);
        scene.Time.Advance(TimeSpan.FromHours(1));
        await scene.LookAsync(token);
        Assert.Equal(["slot-missing", "connector-failed"], scene.Watch.Report.Faults.Select(fault => fault.Code));
        Assert.EndsWith("It is not restarted by itself, for its slot cannot deliver what the log lacks", scene.Failure, StringComparison.Ordinal);

        // Nor while a person keeps it paused.
        await scene.Source.ExecuteAsync($"select pg_create_logical_replication_slot('{Slot}', 'pgoutput')");
        scene.Connect.State = "PAUSED";
        await scene.LookAsync(token);
        Assert.EndsWith("It is not restarted while it is PAUSED", scene.Failure, StringComparison.Ordinal);
        Assert.Equal(1, scene.Connect.Restarts);

        scene.Connect.State = "RUNNING";
        await scene.RestartsAsync(2, token);
    }

    [Fact]
    public async Task While_the_source_is_away_no_restart_is_spent()
    {
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(postgres, token, isAway: true);
        scene.Connect.Task = "FAILED";
        for (var i = 0; i < 3; i++)
        {
            await scene.LookAsync(token);
            scene.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.EndsWith("It is restarted by itself once the source answers", scene.Failure, StringComparison.Ordinal);
        Assert.Equal(0, scene.Connect.Restarts);
    }

    [Fact]
    public async Task Whoever_reads_the_slot_is_known_and_since_when()
    {
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(postgres, token);
        await scene.LookAsync(token);
        await scene.LookAsync(token);
        Assert.Null(scene.Watch.Report.ReaderSince);

        var first = scene.Time.GetUtcNow();
        await using (await scene.ReadSlotAsync(token))
        {
            await scene.LookAsync(token);
            Assert.Equal(first, scene.Watch.Report.ReaderSince);
            scene.Time.Advance(TimeSpan.FromMinutes(1));
            await scene.LookAsync(token);
            Assert.Equal(first, scene.Watch.Report.ReaderSince);
        }

        // While nobody reads, what was known stays, and is no answer to whoever asks out of turn; he learns of a new one at once.
        await scene.UntilLeftAsync(token);
        Assert.Equal("slot-unread", (await Assert.ThrowsAsync<FaultException>(() => scene.Watch.ReadReaderSinceAsync(token))).Fault.Code);
        await scene.LookAsync(token);
        Assert.Equal(first, scene.Watch.Report.ReaderSince);
        await using (await scene.ReadSlotAsync(token))
        {
            Assert.Equal((first + TimeSpan.FromMinutes(1), null), await scene.Watch.ReadReaderSinceAsync(token));
            await scene.LookAsync(token);
            Assert.Equal(first + TimeSpan.FromMinutes(1), scene.Watch.Report.ReaderSince);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Until_transactions_are_over_that_were_open_when_the_slot_began_to_be_read_no_comparison_counts(bool prepared)
    {
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(postgres, token);
        await scene.Source.ExecuteAsync("create table t(id int); create publication p");
        await using var open = await scene.Source.DataSource.OpenConnectionAsync(token);
        await using var only = await scene.Source.DataSource.OpenConnectionAsync(token);
        await RunAsync(open, "begin; insert into t values (1)");
        await RunAsync(only, "begin isolation level repeatable read; select count(*) from t");
        if (prepared)
        {
            await RunAsync(open, "prepare transaction 'left open'");
        }

        await scene.LookAsync(token);
        await using var reading = await scene.ReadSlotAsync(token);
        for (var i = 0; i < 2; i++)
        {
            await scene.LookAsync(token);
            Assert.Null(scene.Watch.Report.ReaderSince);
            Assert.Contains(prepared ? "prepared transaction 'left open'" : $"pid {open.ProcessID} ", scene.Watch.Report.ReaderWaitsFor, StringComparison.Ordinal);
            Assert.Null((await scene.Watch.ReadReaderSinceAsync(token)).Since);
            scene.Time.Advance(TimeSpan.FromMinutes(1));
        }

        // One that begins later is read from its beginning, and one that only reads has lost nothing: neither is waited for.
        await using var later = await scene.Source.DataSource.OpenConnectionAsync(token);
        await RunAsync(later, "begin; insert into t values (2)");
        await RunAsync(open, prepared ? "commit prepared 'left open'" : "commit");
        var over = scene.Time.GetUtcNow();
        await scene.LookAsync(token);
        Assert.Equal((over, null), (scene.Watch.Report.ReaderSince, scene.Watch.Report.ReaderWaitsFor));
        scene.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((over, null), await scene.Watch.ReadReaderSinceAsync(token));

        static async Task RunAsync(NpgsqlConnection connection, string sql) => await new NpgsqlCommand(sql, connection).ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_reader_whose_beginning_is_hidden_is_nobody_we_know_and_the_right_is_named()
    {
        var token = TestContext.Current.CancellationToken;
        await using var scene = await Scene.StartAsync(postgres, token);
        var role = $"watcher_{Guid.NewGuid():N}";
        await scene.Source.ExecuteAsync($"create role {role} login");
        try
        {
            await using var limited = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(scene.Source.ConnectionString) { Username = role, Pooling = false }.ConnectionString);
            var definition = Definition(scene.Source.ConnectionString, role);
            Assert.Empty(await PostgresPreflight.CheckSlotReaderAsync(definition, role, Slot, token));
            Assert.Empty(await PostgresPreflight.CheckSlotReaderAsync(definition, "${file:not-known}", Slot, token));
            Assert.Equal("slot-reader-hidden", Assert.Single(await PostgresPreflight.CheckSlotReaderAsync(definition, "postgres", Slot, token)).Code);
            await using (await scene.ReadSlotAsync(token))
            {
                var state = (await SlotState.ReadAsync(limited, Slot, token))!;
                Assert.Equal((true, null, true), (state.Active, state.Reader, state.IsReaderHidden));
                Assert.Equal("slot-reader-hidden", SlotRules.Hidden(state)?.Code);
                Assert.Contains($"GRANT pg_read_all_stats TO {role} in the source", Assert.Single(await PostgresPreflight.CheckSlotReaderAsync(definition, null, Slot, token)).Fix, StringComparison.Ordinal);

                await scene.Source.ExecuteAsync($"grant pg_read_all_stats to {role}");
                state = (await SlotState.ReadAsync(limited, Slot, token))!;
                Assert.Equal((await SlotState.ReadAsync(scene.Source.DataSource, Slot, token))!.Reader, state.Reader);
                Assert.Contains('@', state.Reader!);
                Assert.Null(SlotRules.Hidden(state));
                Assert.Empty(await PostgresPreflight.CheckSlotReaderAsync(definition, "postgres", Slot, token));
            }
        }
        finally
        {
            await scene.Source.ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    private static MigrationDefinition Definition(string source, string role) => new()
    {
        Name = "shop",
        Source = new SourceSection(SourceKind.PostgreSql, new NpgsqlConnectionStringBuilder(source) { Username = role, Pooling = false }.ConnectionString),
        Target = new TargetSection(source),
        Log = new LogSection { TopicPrefix = "shop" },
        Tables = [],
    };

    private sealed class Scene : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly List<IAsyncDisposable> owned = [];
        private LogInspector log = null!;
        private ConnectClient client = null!;
        private Task run = Task.CompletedTask;

        public Clock Time { get; } = new();

        public FakeConnect Connect { get; } = new();

        public TestDatabase Source { get; private set; } = null!;

        public SourceWatch Watch { get; private set; } = null!;

        public string Failure => Watch.Report.Faults.Single(fault => fault.Code == "connector-failed").Message;

        public static async Task<Scene> StartAsync(PostgresFixture postgres, CancellationToken token, bool isAway = false)
        {
            var scene = new Scene { Source = await postgres.CreateSourceAsync() };
            var target = await postgres.CreateTargetAsync();
            scene.owned.AddRange([scene.Source, target]);
            await ControlSchema.PrepareSourceAsync(scene.Source.DataSource, token);
            await ControlSchema.MigrateAsync(target.DataSource, token);
            var source = scene.Source.DataSource;
            if (!isAway)
            {
                await scene.Source.ExecuteAsync($"select pg_create_logical_replication_slot('{Slot}', 'pgoutput')");
            }
            else
            {
                source = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=postgres;Database=x;Timeout=2");
                scene.owned.Add(source);
            }

            var section = new ConnectSection(new Uri("http://connect:8083"), "shop-source");
            var metrics = new ServiceMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
            var pulses = new PulseStore(target.DataSource, "shop");
            scene.log = new LogInspector("127.0.0.1:1", timeout: TimeSpan.FromMilliseconds(100));
            scene.client = new ConnectClient(section.Url, scene.Connect);
            var restarts = new ConnectorRestarts(section, scene.client, metrics, scene.Time, NullLogger.Instance);
            scene.Watch = new SourceWatch(new SourceWatchParts
            {
                Source = source,
                Slot = Slot,
                Connect = scene.client,
                Section = section,
                Restarts = restarts,
                Pulses = new PulseWatch(pulses, source, (_, _) => Task.FromResult(true), scene.log, "shop.cdc_migrator.fence", new NoLanes(), scene.Time),
                Routes = new RouteKeeper(target.DataSource, [], NullLogger.Instance),
                Fence = new FenceWatch(new MarkerStore(target.DataSource, "shop"), pulses),
                Log = scene.log,
                Topics = ["shop.cdc_migrator.fence"],
                Metrics = metrics,
            }, scene.Time, NullLogger.Instance);
            scene.run = restarts.RunAsync(scene.stop.Token);
            return scene;
        }

        public Task LookAsync(CancellationToken token) => Watch.LookAsync(token);

        /// <summary>Reads the slot as a connector does, until disposed.</summary>
        public async Task<IAsyncDisposable> ReadSlotAsync(CancellationToken token)
        {
            await Source.ExecuteAsync("do $$ begin if not exists (select from pg_publication) then create publication p; end if; end $$");
            var connection = new LogicalReplicationConnection(Source.ConnectionString);
            await connection.Open(token);
            var stream = connection.StartReplication(new PgOutputReplicationSlot(Slot), new PgOutputReplicationOptions("p", PgOutputProtocolVersion.V1), token).GetAsyncEnumerator(token);
            _ = stream.MoveNextAsync().AsTask().ContinueWith(static read => _ = read.Exception, TaskScheduler.Default);
            await UntilAsync(active: true, token);
            return connection;
        }

        public Task UntilLeftAsync(CancellationToken token) => UntilAsync(active: false, token);

        private async Task UntilAsync(bool active, CancellationToken token)
        {
            while ((await SlotState.ReadAsync(Source.DataSource, Slot, token))?.Reader is not null != active)
            {
                await Task.Delay(20, token);
            }
        }

        /// <summary>Looks, as time goes by, until Connect has restarted what failed.</summary>
        public async Task RestartsAsync(int count, CancellationToken token)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
            limit.CancelAfter(TimeSpan.FromMinutes(1));
            while (Connect.Restarts < count)
            {
                Time.Advance(TimeSpan.FromSeconds(1));
                await Watch.LookAsync(limit.Token);
            }

            Assert.Equal(count, Connect.Restarts);
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await run.ContinueWith(static _ => { }, TaskScheduler.Default);
            client.Dispose();
            log.Dispose();
            Connect.Dispose();
            await Source.ExecuteAsync($"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{Slot}'");
            foreach (var resource in owned)
            {
                await resource.DisposeAsync();
            }

            stop.Dispose();
        }
    }

    /// <summary>One connector with one task; a restart has it run, if it is told to take what has failed alone.</summary>
    private sealed class FakeConnect : HttpMessageHandler
    {
        private readonly ConcurrentQueue<string> restarts = new();

        public string State { get; set; } = "RUNNING";

        public string Task { get; set; } = "RUNNING";

        public int Restarts => restarts.Count;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Method == HttpMethod.Get && request.RequestUri!.AbsolutePath == "/connectors/shop-source/status")
            {
                var trace = Task == "FAILED" ? "java.io.IOException: gone" : "";
                return Answer(HttpStatusCode.OK, $$"""{"name":"shop-source","connector":{"state":"{{State}}","worker_id":"w"},"tasks":[{"id":0,"state":"{{Task}}","worker_id":"w","trace":"{{trace}}"}]}""");
            }

            if (request.Method == HttpMethod.Post && request.RequestUri!.PathAndQuery == "/connectors/shop-source/restart?includeTasks=true&onlyFailed=true")
            {
                Task = State;
                restarts.Enqueue(request.RequestUri.PathAndQuery);
                return Answer(HttpStatusCode.Accepted, "{}");
            }

            return Answer(HttpStatusCode.NotFound, """{"error_code":404,"message":"not asked for here"}""");
        }

        private static Task<HttpResponseMessage> Answer(HttpStatusCode status, string body) =>
            System.Threading.Tasks.Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") });
    }

    private sealed class Clock : TimeProvider
    {
        private DateTimeOffset now = DateTimeOffset.UnixEpoch;

        public void Advance(TimeSpan time) => now += time;

        public override DateTimeOffset GetUtcNow() => now;
    }

    private sealed class NoLanes : ILaneStore
    {
        public Task<ILaneWriter> ClaimAsync(LaneId lane, LogIdentity identity, long logStart, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<LaneProgress>> ReadProgressAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<LaneProgress>>([]);
    }
}

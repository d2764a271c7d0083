using System.Net;
using System.Text.Json;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using NpgsqlTypes;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>What the service says over HTTP, on a real migration over the embedded log.</summary>
public sealed class ServiceHttpTests(PostgresFixture postgres)
{
    private const string Table = "create table t(id int primary key, v text);";

    [Fact]
    public async Task A_running_migration_shows_itself_and_proves_its_drain()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Table + "insert into t select i, 'v' || i from generate_series(1, 500) i");
        await using var target = await postgres.CreateTargetAsync(Table);
        await using var running = await RunningService.StartAsync(Definition("http_shop", source.ConnectionString, target.ConnectionString));
        await running.UntilAsync("/healthz/ready", cancellationToken);

        await source.ExecuteAsync("update t set v = 'changed' where id <= 10; delete from t where id = 500");
        var marker = await FenceTable.WriteMarkerAsync(source.DataSource, cancellationToken);
        var answer = await running.Http.PostAsJsonAsync(
            "/api/drain", new { marker = marker.Id, lsn = new NpgsqlLogSequenceNumber(marker.Lsn).ToString(), timeoutMs = 120_000 }, cancellationToken);
        var drain = await answer.Content.ReadFromJsonAsync<DrainReport>(ApiJson.Options, cancellationToken);
        Assert.True(drain!.Drained && drain.MarkerSeen && drain.SlotConfirmed, drain.WaitingFor);
        Assert.NotEmpty(drain.Lanes);
        Assert.All(drain.Lanes, lane => Assert.True(lane.NextOffset >= lane.EndOffset, lane.ToString()));
        Assert.Equal(["499|10"], await target.RowsAsync("select count(*), count(*) filter (where v = 'changed') from t"));

        var status = await running.GetAsync<StatusReport>("/api/status", cancellationToken);
        Assert.Equal(("http_shop", ServicePhase.Replicating), (status.Migration, status.Phase));
        Assert.Empty(status.Faults);
        Assert.Equal(500, status.Applied.SnapshotRows + status.Applied.Inserts);
        Assert.Equal((10L, 1L), (status.Applied.Updates, status.Applied.Deletes));
        Assert.All(status.Lanes, lane => Assert.Equal(LaneState.Running, lane.State));
        Assert.Equal("public.t", Assert.Single(status.Tables).Source);
        Assert.False(status.Gate.Open);

        var lag = await running.GetAsync<LagReport>("/api/lag", cancellationToken);
        Assert.Equal("public.t", Assert.Single(lag.Tables).Table);
        Assert.Equal(status.Lanes.Count, lag.Partitions.Count);

        string metrics;
        do
        {
            metrics = await running.Http.GetStringAsync("/metrics", cancellationToken);
        }
        while (!metrics.Contains("cdcmigrator_source_slot_retained_bytes{", StringComparison.Ordinal));

        Assert.Contains("cdcmigrator_phase{phase=\"running\",migration=\"http_shop\"} 1", metrics, StringComparison.Ordinal);
        Assert.All(
            metrics.Split('\n').Where(line => line.Length > 0 && line[0] != '#'),
            line =>
            {
                Assert.StartsWith("cdcmigrator_", line, StringComparison.Ordinal);
                Assert.Contains("migration=\"http_shop\"", line, StringComparison.Ordinal);
            });

        Assert.Contains("<!doctype html>", await running.Http.GetStringAsync("/", cancellationToken), StringComparison.Ordinal);

        // What a copy has yet to bring is in the target by no proof about the log.
        await target.ExecuteAsync("insert into cdc_migrator.resync (migration, source_table, signal_id, phase) values ('http_shop', 'public.t', 'x', 'copying')");
        answer = await running.Http.PostAsJsonAsync(
            "/api/drain", new { marker = marker.Id, lsn = new NpgsqlLogSequenceNumber(marker.Lsn).ToString(), timeoutMs = 120_000 }, cancellationToken);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Contains("copy-unfinished", await answer.Content.ReadAsStringAsync(cancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_done_to_the_publication_of_the_embedded_log_and_undone_is_said()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Table);
        await using var target = await postgres.CreateTargetAsync(Table);
        await using var running = await RunningService.StartAsync(Definition("http_published", source.ConnectionString, target.ConnectionString));
        await running.UntilAsync("/healthz/ready", cancellationToken);
        Assert.DoesNotContain("resync-needed", await running.Http.GetStringAsync("/api/status", cancellationToken), StringComparison.Ordinal);
        Assert.Equal(1, await target.ScalarAsync<long>("select count(*) from cdc_migrator.source_table where shape ->> 'Published' like '%/%/%'"));

        await source.ExecuteAsync("alter publication cdcm_http_published drop table t; alter publication cdcm_http_published add table t");
        while (!(await running.Http.GetStringAsync("/api/status", cancellationToken)).Contains("taken out of publication cdcm_http_published for a moment", StringComparison.Ordinal))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }

    [Theory]
    [InlineData("not json", "is not a drain request")]
    [InlineData("{}", "needs the marker's id")]
    [InlineData("null", "needs the marker's id")]
    [InlineData("{\"marker\":\"marker:x\",\"lsn\":\"nonsense\"}", "needs the marker's id and the source's position")]
    [InlineData("{\"marker\":\"marker:x\",\"lsn\":\"0/1\",\"timeoutMs\":-1}", "timeoutMs must be")]
    public async Task A_wrong_drain_request_is_refused_with_what_is_wrong(string body, string message)
    {
        await using var running = await RunningService.StartAsync(Definition("http_bad", Closed, Closed));
        using var content = new StringContent(body);
        var answer = await running.Http.PostAsync(new Uri("/api/drain", UriKind.Relative), content, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(message, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_that_is_down_at_the_start_is_waited_for_live_and_not_ready()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var running = await RunningService.StartAsync(Definition("http_down", Closed, Closed));
        StatusReport status;
        do
        {
            status = await running.GetAsync<StatusReport>("/api/status", cancellationToken);
        }
        while (status.Faults.Count == 0);

        Assert.Equal(ServicePhase.Starting, status.Phase);
        Assert.Equal(FaultKind.Unreachable, status.Faults[0].Kind);
        Assert.Equal(HttpStatusCode.OK, (await running.Http.GetAsync(new Uri("/healthz/live", UriKind.Relative), cancellationToken)).StatusCode);
        var ready = await running.Http.GetAsync(new Uri("/healthz/ready", UriKind.Relative), cancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("waiting:", await ready.Content.ReadAsStringAsync(cancellationToken), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await running.Http.GetAsync(new Uri("/healthz/startup", UriKind.Relative), cancellationToken)).StatusCode);
        using var drain = new StringContent("{\"marker\":\"marker:x\",\"lsn\":\"0/1\"}");
        Assert.Equal(HttpStatusCode.Conflict, (await running.Http.PostAsync(new Uri("/api/drain", UriKind.Relative), drain, cancellationToken)).StatusCode);
    }

    [Fact]
    public async Task A_halted_lane_goes_on_at_once_when_it_is_told_to()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Table);
        await using var target = await postgres.CreateTargetAsync(Table);
        await using var running = await RunningService.StartAsync(Definition("http_retry", source.ConnectionString, target.ConnectionString));
        await running.UntilAsync("/healthz/ready", cancellationToken);
        await source.ExecuteAsync("alter table t add column late int; insert into t values (1, 'one', 7)");
        StatusReport status;
        do
        {
            status = await running.GetAsync<StatusReport>("/api/status", cancellationToken);
        }
        while (status.Lanes.All(lane => lane.State != LaneState.Halted));

        var fault = Assert.Single(status.Faults);
        Assert.Equal("unknown-column", fault.Code);
        Assert.NotNull(fault.Offset);
        await target.ExecuteAsync("alter table t add column late int");
        var answer = await running.Http.PostAsync(new Uri("/api/lanes/retry", UriKind.Relative), null, cancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        while (!(await target.RowsAsync("select * from t")).SequenceEqual(["1|one|7"]))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    [Fact]
    public async Task Tables_are_shown_and_a_log_that_cannot_copy_them_again_says_so()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Table + "insert into t values (1, 'one')");
        await using var target = await postgres.CreateTargetAsync(Table);
        await using var running = await RunningService.StartAsync(Definition("http_tables", source.ConnectionString, target.ConnectionString));
        await running.UntilAsync("/healthz/ready", cancellationToken);
        TableDetail table;
        do
        {
            table = Assert.Single((await running.GetAsync<TablesReport>("/api/tables", cancellationToken)).Tables);
        }
        while (table.SnapshotRows == 0);

        Assert.Equal(("public.t", 1L, null), (table.Source, table.SnapshotRows, table.Resync));
        Assert.Equal((HttpStatusCode.Conflict, "no-resync"), await ResyncAsync(new { all = true }));
        Assert.Equal("unknown-table", (await ResyncAsync(new { tables = new[] { "public.other" } })).Code);
        Assert.Equal("bad-request", (await ResyncAsync(new { })).Code);

        async Task<(HttpStatusCode Status, string Code)> ResyncAsync(object request)
        {
            var answer = await running.Http.PostAsJsonAsync("/api/tables/resync", request, cancellationToken);
            return (answer.StatusCode, (await answer.Content.ReadFromJsonAsync<FaultReport>(ApiJson.Options, cancellationToken))!.Code);
        }
    }

    [Fact]
    public async Task A_port_in_use_is_one_clear_configuration_fault()
    {
        await using var first = await RunningService.StartAsync(Definition("http_port", Closed, Closed));
        var second = Definition("http_port", Closed, Closed) with { Service = new ServiceSection { Url = first.Service.Url } };
        var fault = (await Assert.ThrowsAsync<FaultException>(() => MigrationService.StartAsync(
            second, new MigrationServiceOptions { Logs = LogStyle.None }, TestContext.Current.CancellationToken))).Fault;
        Assert.Equal((FaultKind.Configuration, "service-url"), (fault.Kind, fault.Code));
        Assert.Equal($"port {first.Service.Url.Port} of 127.0.0.1 is in use by another process", fault.Message);
    }

    private static string Closed => "Host=127.0.0.1;Port=1;Username=postgres;Database=x;Timeout=2";

    [Fact]
    public async Task A_wrong_row_is_repaired_on_request_and_found_equal_by_itself()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Table + "insert into t select i, 'v' || i from generate_series(1, 500) i");
        await using var target = await postgres.CreateTargetAsync(Table);
        await using var running = await RunningService.StartAsync(Definition("http_repair", source.ConnectionString, target.ConnectionString));
        await running.UntilAsync("/healthz/ready", cancellationToken);
        while (await target.ScalarAsync<long>("select count(*) from t") < 500)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        await target.ExecuteAsync("update t set v = 'wrong' where id = 7; delete from t where id = 8");
        Assert.Equal(HttpStatusCode.OK, await PostAsync("/api/verify", new { all = true }));
        await WrongAsync(2);
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("/api/tables/repair", new { table = "public.t" }));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("/api/tables/repair", new { table = "public.t", keys = new[] { "id=7" }, allWrong = true }));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("/api/tables/repair", new { table = "public.none", allWrong = true }));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("/api/tables/repair", new { table = "public.t", keys = new[] { "id=9" } }));
        await target.ExecuteAsync("insert into cdc_migrator.resync (migration, source_table, signal_id, phase) values ('http_repair', 'public.t', 'x', 'copying')");
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync("/api/tables/repair", new { table = "public.t", allWrong = true }));
        await target.ExecuteAsync("delete from cdc_migrator.resync");

        Assert.Equal(HttpStatusCode.OK, await PostAsync("/api/tables/repair", new { table = "public.t", allWrong = true, dryRun = true }));
        Assert.Equal(["7|wrong"], await target.RowsAsync("select * from t where id in (7, 8)"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync("/api/tables/repair", new { table = "public.t", keys = new[] { "id=7" }, actor = "somebody" }));
        Assert.Equal(HttpStatusCode.OK, await PostAsync("/api/tables/repair", new { table = "public.t", allWrong = true }));
        Assert.Equal(["7|v7", "8|v8"], await target.RowsAsync("select * from t where id in (7, 8) order by id"));
        Assert.Contains("somebody", await target.RowsAsync("select actor from cdc_migrator.journal where event = 'rows-repaired'"));
        await WrongAsync(0);

        async Task<HttpStatusCode> PostAsync(string path, object body)
        {
            using var answer = await running.Http.PostAsJsonAsync(path, body, cancellationToken);
            return answer.StatusCode;
        }

        async Task WrongAsync(int wrong)
        {
            while ((await running.GetAsync<VerifyReport>("/api/verify/last", cancellationToken)) is var report && !(report.State == "finished" && report.Tables[0].Mismatches.Count == wrong))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
        }
    }

    [Fact]
    public async Task A_completed_migration_leaves_nothing_behind_but_a_closed_source_and_no_process_begins_it_again()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync(Table + "insert into t values (1, 'one')");
        await using var target = await postgres.CreateSourceAsync(Table);
        var definition = Definition("http_done", source.ConnectionString, target.ConnectionString);
        var sides = new Sides(definition, source.DataSource, target.DataSource, TimeProvider.System);
        await using (var running = await RunningService.StartAsync(definition))
        {
            await running.UntilAsync("/healthz/ready", cancellationToken);
            Assert.Equal(HttpStatusCode.OK, (await PostAsync(running, "prepare", new { })).StatusCode);
            await running.UntilAsync("/back/api/lag", cancellationToken);
            while (await SlotsAsync() != 2)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
            }

            await RefusedAsync(running, "not-over", "complete", new { migration = "http_done", actor = "somebody" });
            await sides.Source.CloseAsync("a", 2, TimeSpan.FromMinutes(5), cancellationToken);
            await RefusedAsync(running, "not-over", "complete", new { migration = "http_done", actor = "somebody" });
            Assert.True(await sides.Source.SealAsync("a", TimeSpan.Zero, null, cancellationToken));
            await sides.Target.OpenAsync("a", 2, cancellationToken);
            await RefusedAsync(running, "another-migration", "complete", new { migration = "other", actor = "somebody" });

            Assert.Equal(HttpStatusCode.OK, (await PostAsync(running, "complete", new { migration = "http_done", actor = "somebody" })).StatusCode);
            await CompletedAsync(running);
            Assert.Equal(["migration-completed", "completion-finished"], await source.RowsAsync("select event from cdc_migrator.journal where event like '%complet%' order by id"));
        }

        // Another process, and another request, change nothing; nor does one that was told to go back before it knew.
        await using var again = await RunningService.StartAsync(definition);
        await again.UntilAsync("/api/cutover", cancellationToken);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(again, "complete", new { migration = "http_done", actor = "another" })).StatusCode);
        await CompletedAsync(again);
        await RefusedAsync(again, "completed", "start", new { migration = "http_done", direction = "Back", rehearsal = false, actor = "somebody" });
        await RefusedAsync(again, "completed", "prepare", new { });
        Assert.Equal("fence-taken", (await Assert.ThrowsAsync<FaultException>(() => sides.Target.CloseAsync("b", 9, TimeSpan.FromMinutes(1), cancellationToken))).Fault.Code);

        async Task CompletedAsync(RunningService service)
        {
            Assert.Equal(ServicePhase.Completed, (await service.GetAsync<StatusReport>("/api/status", cancellationToken)).Phase);
            var now = await service.GetAsync<CutoverStatus>("/api/cutover", cancellationToken);
            Assert.Equal(("somebody", FenceState.Open, FenceState.Sealed), (now.CompletedBy, now.Target!.State, now.Source!.State));
            Assert.Equal(0, await SlotsAsync());
            foreach (var side in new[] { source, target })
            {
                Assert.Empty(await side.RowsAsync("select pubname from pg_publication"));
                Assert.Empty(await side.RowsAsync("select migration from cdc_migrator.embedded_log"));
            }

            await target.ExecuteAsync("insert into t values (2, 'two') on conflict do nothing");
            Assert.Empty(await target.RowsAsync("select tgname from pg_trigger where tgfoid = to_regprocedure('cdc_migrator.deny_write()')"));
            await Assert.ThrowsAsync<Npgsql.PostgresException>(() => source.ExecuteAsync("insert into t values (2, 'two')"));
        }

        async Task<long> SlotsAsync() => await source.ScalarAsync<long>("select count(*) from pg_replication_slots where slot_name in ('cdcm_http_done', 'cdcm_http_done_back')");

        Task<HttpResponseMessage> PostAsync(RunningService service, string verb, object body) => service.Http.PostAsJsonAsync($"/api/cutover/{verb}", body, ApiJson.Options, cancellationToken);

        async Task RefusedAsync(RunningService service, string code, string verb, object body)
        {
            using var answer = await PostAsync(service, verb, body);
            Assert.NotEqual(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains($"\"{code}\"", await answer.Content.ReadAsStringAsync(cancellationToken), StringComparison.Ordinal);
        }
    }

    private static MigrationDefinition Definition(string name, string source, string target) => new()
    {
        Name = name,
        Source = new SourceSection(SourceKind.PostgreSql, source),
        Target = new TargetSection(target),
        Log = new LogSection { Kind = LogKind.Embedded, TopicPrefix = name },
        Tables = [new TableMapping { Source = new TableName("public", "t"), Target = new TableName("public", "t") }],
        Service = new ServiceSection { Url = new Uri("http://127.0.0.1:0") },
    };

    private sealed class RunningService : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task run;

        private RunningService(MigrationService service)
        {
            Service = service;
            Http = new HttpClient { BaseAddress = service.Url };
            run = Task.Run(() => service.RunAsync(stop.Token));
        }

        public MigrationService Service { get; }

        public HttpClient Http { get; }

        public static async Task<RunningService> StartAsync(MigrationDefinition definition) => new(await MigrationService.StartAsync(
            definition, new MigrationServiceOptions { Logs = LogStyle.None }, TestContext.Current.CancellationToken));

        public async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) =>
            JsonSerializer.Deserialize<T>(await Http.GetStringAsync(path, cancellationToken), ApiJson.Options)!;

        public async Task UntilAsync(string path, CancellationToken cancellationToken)
        {
            while ((await Http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken)).StatusCode != HttpStatusCode.OK)
            {
                Assert.False(run.IsFaulted, run.Exception?.ToString());
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await run;
            await Service.DisposeAsync();
            Http.Dispose();
            stop.Dispose();
        }
    }
}

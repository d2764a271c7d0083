using System.Text.Json;
using CdcMigrator.Cutover.Advising;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>What a person decides of a running migration, through the program operators use: it holds in every process, however often one is started.</summary>
public sealed class OperatorTests(PostgresFixture postgres)
{
    private const string Table = "create table t(id int primary key, v text)";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_waiver_opens_the_gate_for_what_was_found_in_every_process_and_is_kept_in_the_journal()
    {
        await using var source = await postgres.CreateSourceAsync($"{Table}; insert into t select i, 'v' || i from generate_series(1, 50) i");
        await using var target = await postgres.CreateTargetAsync(Table);
        var definition = Definition("waived", source, target) with { Rules = [new BusinessRule("revenue", "select 1", "select 2", 0)] };
        await using (var first = await Service.StartAsync(definition))
        {
            await CdcmAsync<VerifyReport>(first.Url, 0, "verify", "start", "--wait");
            await UntilAsync(async () => Closing(await first.GateAsync()) is "rules", async () => Closing(await first.GateAsync()), first);
            Assert.Equal(3, (await Cdcm.RunAsync("cutover", "check", "--server", first.Url)).ExitCode);

            foreach (var (name, code) in new[] { ("mismatches", 6), ("verification", 6), ("schemaHistory", 6), ("speed", 2) })
            {
                var refused = await Cdcm.RunAsync("waive", name, "--reason", "because", "--server", first.Url);
                Assert.True(refused.ExitCode == code, $"{name}: {refused.ExitCode} {refused.Error}");
            }

            Assert.Equal(2, (await Cdcm.RunAsync("waive", "rules", "--server", first.Url)).ExitCode);
            var report = await CdcmAsync<WaiversReport>(first.Url, 0, "waive", "rules", "--reason", "the rule counts drafts", "--by", "ann", "--until", "1d");
            Assert.True(report.GateOpen);
            Assert.Equal(("rules", WaiverState.InForce, "ann", "the rule counts drafts"), report.Waivers.Select(waiver => (waiver.Criterion, waiver.State, waiver.By, waiver.Reason)).Single());
            var check = await Cdcm.RunAsync("cutover", "check", "--server", first.Url);
            Assert.Equal(0, check.ExitCode);
            Assert.Contains("gate: open (1 waived)", check.Error, StringComparison.Ordinal);
        }

        // Another process goes by it (the embedded log began another life, of which nothing is compared yet), and not for another finding.
        await using (var second = await Service.StartAsync(definition))
        {
            await CdcmAsync<VerifyReport>(second.Url, 0, "verify", "start", "--wait");
            await UntilAsync(async () => (await second.GateAsync()).Open, async () => Closing(await second.GateAsync()), second);
            Assert.Equal(0, (await Cdcm.RunAsync("waive", "--revoke", "rules", "--by", "bob", "--server", second.Url)).ExitCode);
            Assert.Equal(6, (await Cdcm.RunAsync("waive", "--revoke", "rules", "--server", second.Url)).ExitCode);
            Assert.Equal("rules", Closing(await second.GateAsync()));
            Assert.Equal(0, (await Cdcm.RunAsync("waive", "rules", "--reason", "again", "--by", "ann", "--server", second.Url)).ExitCode);
        }

        await using (var third = await Service.StartAsync(definition with { Rules = [new BusinessRule("revenue", "select 1", "select 3", 0)] }))
        {
            await UntilAsync(async () => (await third.GateAsync()).Criteria.Single(criterion => criterion.Name == "rules").State == "FAIL", async () => Closing(await third.GateAsync()), third);
            Assert.Contains("rules", Closing(await third.GateAsync()), StringComparison.Ordinal);
            Assert.Equal(WaiverState.FoundOtherwise, (await CdcmAsync<WaiversReport>(third.Url, 0, "waive", "--list")).Waivers.Single().State);
        }

        Assert.Equal(
            ["ann|waived|rules|the rule counts drafts", "bob|waiver-revoked|rules|the rule counts drafts", "ann|waived|rules|again"],
            await target.RowsAsync("select actor, event, evidence ->> 'criterion', evidence ->> 'reason' from cdc_migrator.journal where event like 'waive%' order by id"));
    }

    [Fact]
    public async Task A_pause_holds_in_every_process_shows_what_waits_and_loses_nothing()
    {
        await using var source = await postgres.CreateSourceAsync($"{Table}; insert into t select i, 'v' || i from generate_series(1, 50) i");
        await using var target = await postgres.CreateTargetAsync(Table);
        var definition = Definition("paused", source, target);
        await using (var first = await Service.StartAsync(definition))
        {
            await CdcmAsync<VerifyReport>(first.Url, 0, "verify", "start", "--wait");
            await UntilAsync(async () => (await first.GateAsync()).Open, async () => Closing(await first.GateAsync()), first);
            Assert.Equal(2, (await Cdcm.RunAsync("pause", "--server", first.Url)).ExitCode);
            var paused = await CdcmAsync<PauseReport>(first.Url, 0, "pause", "--reason", "another disk", "--by", "ann");
            Assert.Equal(("ann", "another disk"), (paused.Paused!.By, paused.Paused.Reason));
            await source.ExecuteAsync("insert into t select i, 'later' from generate_series(101, 150) i; update t set v = 'changed' where id <= 10");
            await HeldAsync(first);
        }

        // A process that is started meanwhile applies nothing either, and knows what waits.
        await using (var second = await Service.StartAsync(definition))
        {
            await HeldAsync(second);
            Assert.Equal(["50"], await target.RowsAsync("select count(*) from t"));
            await CdcmAsync<VerifyReport>(second.Url, 0, "verify", "start");
            VerifyReport? shown = null;
            await UntilAsync(
                async () => (shown = JsonSerializer.Deserialize<VerifyReport>((await Cdcm.RunAsync("verify", "show", "--server", second.Url, "-o", "json")).Output, ApiJson.Options)!)
                    .Tables.All(table => table.Reason?.Contains("paused by ann", StringComparison.Ordinal) == true),
                () => Task.FromResult(string.Join(", ", shown?.Tables.Select(table => table.Reason) ?? [])), second);

            var resumed = await CdcmAsync<PauseReport>(second.Url, 0, "resume", "--by", "bob");
            Assert.Equal((null, "another disk"), (resumed.Paused, resumed.Ended?.Reason));
            Assert.Null((await CdcmAsync<PauseReport>(second.Url, 0, "resume")).Ended);
            await UntilAsync(async () => await target.ScalarAsync<long>("select count(*) from t where v in ('later', 'changed')") == 60, () => Task.FromResult("rows"), second);
            await UntilAsync(async () => (await second.GateAsync()).Open, async () => Closing(await second.GateAsync()), second);
        }

        Assert.Equal(await source.RowsAsync("select * from t order by id"), await target.RowsAsync("select * from t order by id"));

        async Task HeldAsync(Service service)
        {
            StatusReport status = null!;
            await UntilAsync(
                async () => (status = await service.StatusAsync()) is { Phase: ServicePhase.Paused, Paused.By: "ann" } && status.Lag.Records >= 60
                    && status.Lanes.Where(lane => lane.Topic.EndsWith(".t", StringComparison.Ordinal)).All(lane => lane.State == LaneState.Held),
                () => Task.FromResult(JsonSerializer.Serialize(status, ApiJson.Options)), service);
            var lanes = status.Gate.Criteria.Single(criterion => criterion.Name == "lanes");
            Assert.Equal("FAIL", lanes.State);
            Assert.Contains("paused by ann", lanes.Measured, StringComparison.Ordinal);
            Assert.Contains("cdcm resume", status.NextSteps[0], StringComparison.Ordinal);
            Assert.Contains("paused by ann", (await Cdcm.RunAsync("lag", "--server", service.Url)).Error, StringComparison.Ordinal);
        }
    }

    /// <summary>There and back: who takes writes is said plainly, the advice follows, and the way back stays ready although what was compared counts for seconds only.</summary>
    [Fact]
    public async Task In_the_window_the_way_back_is_compared_again_by_itself_and_advice_says_what_to_do()
    {
        await using var source = await postgres.CreateSourceAsync($"{Table}; insert into t select i, 'v' || i from generate_series(1, 50) i");
        await using var target = await postgres.CreateSourceAsync(Table);
        var definition = Definition("window", source, target) with
        {
            Cutover = new CutoverSection { VerifiedWithin = TimeSpan.FromSeconds(16), MaxLag = TimeSpan.FromMinutes(1), Budget = TimeSpan.FromMinutes(1), RollbackWindow = TimeSpan.FromDays(1) },
        };
        await using var service = await Service.StartAsync(definition);
        Assert.Equal(AdviceKind.Mend, (await AdviceAsync()).Advice);
        await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "prepare");

        // A side that another process's attempt has closed.
        var sides = new Sides(definition, source.DataSource, target.DataSource, TimeProvider.System);
        await sides.Source.CloseAsync("other", 2, TimeSpan.FromMinutes(5), Token);
        Assert.Equal(6, (await Cdcm.RunAsync("pause", "--reason", "disk", "--server", service.Url)).ExitCode);
        Assert.Equal((Standing.Switching, AdviceKind.Wait), ((await AdviceAsync()).Standing, (await AdviceAsync()).Advice));
        await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "abort");

        await CdcmAsync<PauseReport>(service.Url, 0, "pause", "--reason", "disk");
        Assert.Equal(6, (await Cdcm.RunAsync("cutover", "start", "--yes", "--server", service.Url)).ExitCode);
        await CdcmAsync<PauseReport>(service.Url, 0, "resume");
        await SwitchAsync("", "cutover", "start");
        await UntilAsync(
            async () => await service.StatusAsync() is { Phase: ServicePhase.TargetOpen, Writes: "target" }, async () => JsonSerializer.Serialize(await service.StatusAsync(), ApiJson.Options), service);
        Assert.Contains("applications write to: the target", (await Cdcm.RunAsync("status", "--server", service.Url)).Error, StringComparison.Ordinal);
        Assert.Equal(6, (await Cdcm.RunAsync("pause", "--reason", "disk", "--server", service.Url)).ExitCode);
        await target.ExecuteAsync("update t set v = 'there' where id <= 10");

        // By itself: nobody asks.
        var passes = 0L;
        await UntilAsync(
            async () => (passes = await source.ScalarAsync<long>("select count(*) from cdc_migrator.verification_run where requested_by = 'window' and state = 'finished'")) >= 1, () => Task.FromResult($"{passes} passes"), service);
        AdviceReport advice = null!;
        await UntilAsync(
            async () => (advice = await AdviceAsync()) is { Standing: Standing.Window, Advice: AdviceKind.Wait, Rules: [{ Name: "in-window" }, ..] }, () => Task.FromResult(JsonSerializer.Serialize(advice, ApiJson.Options)), service);
        Assert.Contains("'cdcm rollback' is possible", advice.Rules[0].Because, StringComparison.Ordinal);
        await SwitchAsync("/back", "rollback");
        Assert.Equal("source", (await service.StatusAsync()).Writes);
        Assert.Equal(await target.RowsAsync("select * from t order by id"), await source.RowsAsync("select * from t order by id"));

        Task<AdviceReport> AdviceAsync() => CdcmAsync<AdviceReport>(service.Url, 0, "advise");

        // A machine that is busy may need more than one attempt, as a person would.
        async Task SwitchAsync(string way, params string[] verbs)
        {
            var last = "";
            await UntilAsync(
                async () =>
                {
                    await Cdcm.RunAsync("verify", "start", "--wait", "--server", service.Url + way);
                    var run = await Cdcm.RunAsync([.. verbs, "--yes", "--server", service.Url]);
                    last = run.Error;
                    return run.ExitCode == 0;
                },
                () => Task.FromResult(last), service);
        }
    }

    private static string Closing(GateReport gate) => string.Join(", ", gate.Criteria.Where(criterion => criterion.Closes).Select(criterion => criterion.Name));

    private static MigrationDefinition Definition(string name, TestDatabase source, TestDatabase target) => new()
    {
        Name = name,
        Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
        Target = new TargetSection(target.ConnectionString),
        Log = new LogSection { Kind = LogKind.Embedded, TopicPrefix = name },
        Tables = [new TableMapping { Source = new TableName("public", "t"), Target = new TableName("public", "t") }],
        Service = new ServiceSection { Url = new Uri("http://127.0.0.1:0") },
    };

    private static async Task<T> CdcmAsync<T>(string server, int exitCode, params string[] arguments)
    {
        var result = await Cdcm.RunAsync([.. arguments, "--server", server, "-o", "json"]);
        Assert.True(result.ExitCode == exitCode, $"{result.ExitCode}: {result.Error}{result.Output}");
        return JsonSerializer.Deserialize<T>(result.Output, ApiJson.Options)!;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, Func<Task<string>> what, Service service)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        while (!await condition())
        {
            Assert.False(service.HasEnded, "the service ended");
            Assert.False(limit.IsCancellationRequested, $"waited in vain: {await what()}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Token);
        }
    }

    /// <summary>A service in this process.</summary>
    private sealed class Service : IAsyncDisposable
    {
        private readonly MigrationService service;
        private readonly CancellationTokenSource stop = new();
        private readonly HttpClient http;
        private Task run = Task.CompletedTask;

        private Service(MigrationService service)
        {
            this.service = service;
            http = new HttpClient { BaseAddress = new Uri(Url) };
        }

        public string Url => service.Url.GetLeftPart(UriPartial.Authority);

        public bool HasEnded => run.IsCompleted;

        public static async Task<Service> StartAsync(MigrationDefinition definition)
        {
            var started = new Service(await MigrationService.StartAsync(definition, new MigrationServiceOptions { Logs = LogStyle.None }, Token));
            started.run = Task.Run(() => started.service.RunAsync(started.stop.Token), Token);
            await UntilAsync(async () => (await started.StatusAsync()).Phase is not ServicePhase.Starting, async () => JsonSerializer.Serialize((await started.StatusAsync()).Faults), started);
            return started;
        }

        public async Task<GateReport> GateAsync() => JsonSerializer.Deserialize<GateReport>(await http.GetStringAsync(new Uri("/api/gate", UriKind.Relative), Token), ApiJson.Options)!;

        public async Task<StatusReport> StatusAsync() => JsonSerializer.Deserialize<StatusReport>(await http.GetStringAsync(new Uri("/api/status", UriKind.Relative), Token), ApiJson.Options)!;

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await run;
            await service.DisposeAsync();
            http.Dispose();
            stop.Dispose();
        }
    }
}

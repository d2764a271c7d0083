using System.Text.Json;
using CdcMigrator.Connect;
using CdcMigrator.Cutover.Advising;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
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
        await SwitchAsync(service, "", "cutover", "start");
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
        await SwitchAsync(service, "/back", "rollback");
        Assert.Equal("source", (await service.StatusAsync()).Writes);
        Assert.Equal(await target.RowsAsync("select * from t order by id"), await source.RowsAsync("select * from t order by id"));

        Task<AdviceReport> AdviceAsync() => CdcmAsync<AdviceReport>(service.Url, 0, "advise");
    }

    [Fact]
    public async Task A_cutover_that_may_go_without_a_way_back_says_so_everywhere_and_nothing_leads_back()
    {
        await using var source = await postgres.CreateSourceAsync($"{Table}; insert into t select i, 'v' || i from generate_series(1, 50) i");

        // A slot of another kind has the name of the way back's: that never runs.
        await using var target = await postgres.CreateSourceAsync(Table);
        var definition = Definition("without", source, target) with { Cutover = Patient with { RequireReverse = false } };
        await target.ExecuteAsync($"select pg_create_physical_replication_slot('{ConnectorNames.Slot(definition.TurnedRound().LogName)}')");
        await using var service = await Service.StartAsync(definition);
        await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "prepare");
        await SwitchAsync(service, "", "cutover", "start");
        await target.ExecuteAsync("update t set v = 'there' where id <= 10");

        var status = await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "status");
        Assert.Equal((true, false), (status.Source!.NoReturn, status.Target!.NoReturn));
        Assert.Contains("'cdcm cutover complete'", Assert.Single(status.NextSteps), StringComparison.Ordinal);
        Assert.Contains("without a way back: it does not run", status.Steps.Single(step => step.Name == CutoverStep.Prove).Outcome, StringComparison.Ordinal);
        var proof = (await CdcmAsync<CutoverEvidence>(service.Url, 0, "cutover", "evidence")).Report.Proof!;
        Assert.Equal((null, null), (proof.Back, proof.BackMarker));
        Assert.StartsWith("it does not run", proof.NoReturn, StringComparison.Ordinal);

        foreach (var verb in new string[][] { ["rollback", "--yes"], ["rollback", "--yes", "--no-return"] })
        {
            var refused = await Cdcm.RunAsync([.. verb, "--server", service.Url]);
            Assert.Equal(6, refused.ExitCode);
            Assert.Contains("error: The source was left without a way back", refused.Error, StringComparison.Ordinal);
            Assert.Contains("fix: 'cdcm cutover complete' ends this migration", refused.Error, StringComparison.Ordinal);
        }

        var advice = await CdcmAsync<AdviceReport>(service.Url, 0, "advise");
        Assert.Equal((Standing.Window, AdviceKind.Complete, "no-way-back"), (advice.Standing, advice.Advice, advice.Rules[0].Name));
        Assert.Equal(["0"], await source.RowsAsync("select count(*) from t where v = 'there'"));
        await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "complete", "--yes");
        Assert.Empty(await target.RowsAsync("select slot_name from pg_replication_slots where database = current_database() or slot_name like 'cdcm_without%'"));
    }

    /// <summary>The emergency: applications have to leave the target, and the log that leads there is broken.</summary>
    [Fact]
    public async Task Going_back_without_return_asks_nothing_of_the_other_log_and_closes_the_target_for_good()
    {
        await using var source = await postgres.CreateSourceAsync($"{Table}; insert into t select i, 'v' || i from generate_series(1, 50) i");
        await using var target = await postgres.CreateSourceAsync(Table);
        await using var service = await Service.StartAsync(Definition("no_return", source, target) with { Cutover = Patient });
        await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "prepare");
        await SwitchAsync(service, "", "cutover", "start");
        await target.ExecuteAsync("update t set v = 'there' where id <= 10");

        // A slot of another kind has its name: nothing can be read through it, and no marker passes.
        var slot = ConnectorNames.Slot("no_return");
        try
        {
            await UntilAsync(async () =>
            {
                try
                {
                    await source.ExecuteAsync($"select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '{slot}' and active");
                    await source.ExecuteAsync($"select pg_drop_replication_slot('{slot}') from pg_replication_slots where slot_name = '{slot}' and slot_type = 'logical'");
                    await source.ExecuteAsync($"select pg_create_physical_replication_slot('{slot}')");
                }
                catch (Npgsql.PostgresException)
                {
                    // It is read again, or made again, in that moment.
                }

                return await source.ScalarAsync<bool>($"select exists (select from pg_replication_slots where slot_name = '{slot}' and slot_type = 'physical')");
            }, () => Task.FromResult("the slot"), service);

            var unwanted = await Cdcm.RunAsync("cutover", "start", "--no-return", "--server", service.Url);
            Assert.Equal(2, unwanted.ExitCode);
            await SwitchAsync(service, "/back", "rollback", "--no-return");
            Assert.Equal(await target.RowsAsync("select * from t order by id"), await source.RowsAsync("select * from t order by id"));
            await source.ExecuteAsync("insert into t values (100, 'only here')");

            var status = await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "status");
            Assert.Equal((FenceState.Open, FenceState.Sealed, true), (status.Source!.State, status.Target!.State, status.Target.NoReturn));
            Assert.Equal(ReturnWay.None, (await CdcmAsync<CutoverEvidence>(service.Url, 0, "cutover", "evidence")).Report.Attempt.Return);
            var refused = await Cdcm.RunAsync("cutover", "start", "--yes", "--server", service.Url);
            Assert.Equal(6, refused.ExitCode);
            Assert.Contains("error: The target was left without a way to it", refused.Error, StringComparison.Ordinal);
            Assert.Contains("'Starting over'", refused.Error, StringComparison.Ordinal);
            Assert.Equal("left", (await CdcmAsync<AdviceReport>(service.Url, 0, "advise")).Rules[0].Name);
            Assert.Equal(["0"], await target.RowsAsync("select count(*) from t where id = 100"));
            Assert.False(service.HasEnded);
        }
        finally
        {
            await source.ExecuteAsync($"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{slot}' and slot_type = 'physical'");
        }
    }

    [Fact]
    public async Task An_attempt_of_another_process_is_called_off_while_it_makes_applications_wait_and_what_leaves_no_trace_is_said()
    {
        await using var source = await postgres.CreateSourceAsync(Table);
        await using var target = await postgres.CreateSourceAsync(Table);
        var definition = Definition("called_off", source, target);
        await using var service = await Service.StartAsync(definition);
        await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "prepare");
        var nothing = await Cdcm.RunAsync("cutover", "abort", "--server", service.Url);
        Assert.Equal(6, nothing.ExitCode);
        Assert.Contains("An attempt that another process still prepares leaves no trace in the databases", nothing.Error, StringComparison.Ordinal);
        Assert.Contains("'cdcm pause'", nothing.Error, StringComparison.Ordinal);

        var side = new Sides(definition, source.DataSource, target.DataSource, TimeProvider.System).Source;
        Assert.True(await side.Hold.TakeAsync("other", 2, TimeSpan.FromMinutes(5), Token));
        Assert.Equal("other", (await CdcmAsync<CutoverStatus>(service.Url, 0, "cutover", "status")).Source!.Held);
        var abort = Cdcm.RunAsync("cutover", "abort", "--server", service.Url);

        // As its owner does: it cannot renew its note, and lets applications go.
        await UntilAsync(async () => !await side.Hold.RenewAsync("other", releasing: false, TimeSpan.FromMinutes(5), Token), () => Task.FromResult("the note"), service);
        Assert.False(abort.IsCompleted);
        Assert.Equal("fence-taken", (await Assert.ThrowsAsync<FaultException>(() => side.CloseAsync("other", 2, TimeSpan.FromMinutes(5), Token))).Fault.Code);
        Assert.True(await side.Hold.EndAsync("other", Token));
        Assert.Equal(0, (await abort).ExitCode);
        Assert.Equal(["hold-called-off|other"], await source.RowsAsync("select event, evidence ->> 'token' from cdc_migrator.journal where event like 'hold%'"));
    }

    private static CutoverSection Patient { get; } = new()
    {
        MaxLag = TimeSpan.FromMinutes(1),
        Budget = TimeSpan.FromMinutes(1),
        Deadlines = new CutoverDeadlines { Fencing = TimeSpan.FromMinutes(1), Draining = TimeSpan.FromMinutes(1), FinalVerify = TimeSpan.FromMinutes(1), ReverseArmed = TimeSpan.FromMinutes(1) },
    };

    /// <summary>A machine that is busy may need more than one attempt, as a person would.</summary>
    private static async Task SwitchAsync(Service service, string way, params string[] verbs)
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

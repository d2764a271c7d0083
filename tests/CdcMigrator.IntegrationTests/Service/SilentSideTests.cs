using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Diagnosing;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>A database that takes connections and says nothing, as one whose server is stopped: the other side is of use all the same, and whatever waits for the silent one ends and names it.</summary>
public sealed class SilentSideTests(PostgresFixture postgres) : IDisposable
{
    private const string Schema = "create table orders(id int primary key, v text)";
    private static readonly TimeSpan Lease = TimeSpan.FromHours(1);
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cdcm-silent");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Told => Path.Combine(folder.FullName, "told");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData(MigrationDirection.Forward)]
    [InlineData(MigrationDirection.Back)]
    public async Task Commands_reach_the_side_that_answers_and_name_the_one_that_does_not(MigrationDirection leaving)
    {
        await using var scene = await SceneAsync(leaving);
        var healthy = scene.Sides.Left(leaving);
        await healthy.CloseAsync("a1", 5, Lease, Cancellation);
        scene.Proxy.Stall();

        // One after another they would wait for each other; each has to reach the healthy side by itself.
        var known = scene.Sides.ReadAnyAsync(Cancellation);
        var both = Assert.ThrowsAsync<FaultException>(() => scene.Sides.ReadAsync(Cancellation));
        var off = Assert.ThrowsAsync<FaultException>(() => scene.Sides.CallOffAsync(Lease, Cancellation));
        var scripts = OfflineCutover.ScriptsAsync(scene.Definition, Cancellation);
        var diagnosis = MigrationDiagnosis.RunAsync(scene.Definition, null, null, new Fault(FaultKind.Unreachable, "none", "nobody answers"), Cancellation);
        var evidence = EvidenceAsync();
        foreach (var fault in new[] { (await both).Fault, (await off).Fault })
        {
            Assert.Equal((FaultKind.Unreachable, "no-answer"), (fault.Kind, fault.Code));
            Assert.Contains($"The {scene.Silent} did not answer", fault.Message, StringComparison.Ordinal);
        }

        var (here, there) = await known;
        Assert.Equal(("a1", null), leaving == MigrationDirection.Forward ? (here?.Token, there) : (there?.Token, here));
        Assert.Contains("'a1'", (await scripts)[healthy.Name], StringComparison.Ordinal);
        Assert.StartsWith($"-- Nothing is known of this side: The {scene.Silent} did not answer", (await scripts)[scene.Silent], StringComparison.Ordinal);
        Assert.Contains((await diagnosis).Entries, entry => $"{entry.Waits} {entry.For}".Contains($"The {scene.Silent} did not answer", StringComparison.Ordinal));
        var status = await OfflineCutover.AbortAsync(scene.Definition, Cancellation);
        Assert.StartsWith($"The {scene.Silent} did not answer", status.Away?.Message, StringComparison.Ordinal);
        Assert.Equal(FenceState.Open, (await healthy.ReadAsync(Cancellation))!.State);
        Assert.Equal("a0", (await evidence).Report.Attempt.Token);

        async Task<CutoverEvidence> EvidenceAsync()
        {
            // The report is written while the other side says nothing.
            await scene.Sides.NoteAsync(leaving, new CutoverReport { Attempt = new CutoverAttempt("a0", 1, leaving, "test", Rehearsal: false), Phase = CutoverPhase.Undone }, null, [], Cancellation);
            return await scene.Sides.ReadEvidenceAsync("a0", Cancellation);
        }
    }

    [Theory]
    [InlineData(MigrationDirection.Forward)]
    [InlineData(MigrationDirection.Back)]
    public async Task Applications_of_the_side_that_answers_are_let_go_and_the_other_ones_once_it_answers_again(MigrationDirection leaving)
    {
        await using var scene = await SceneAsync(leaving);
        await scene.OpenBothAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var runner = new HookRunner();
        var routing = new RouteKeeping(scene.Definition, scene.Sides, new RoutingHooks(scene.Definition.Cutover.Route, runner, TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        await routing.TurnAsync(Cancellation);
        Assert.True(await scene.Sides.Source.Hold.TakeAsync("ofSource", 5, Lease, Cancellation));
        Assert.True(await scene.Sides.Target.Hold.TakeAsync("ofTarget", 6, Lease, Cancellation));

        // Both processes that made them wait are dead, and one side says nothing: the router is waiting for it already when the other one's note runs out.
        scene.Proxy.Stall();
        var running = Task.WhenAll(Enum.GetValues<MigrationDirection>().Select(way => routing.RunAsync(way, stop.Token)));
        await UntilAsync(() => scene.Proxy.Held > 0);
        await scene.RunOutAsync();
        var (first, second) = leaving == MigrationDirection.Forward ? ("ofSource", "ofTarget") : ("ofTarget", "ofSource");
        await UntilAsync(() => ReadTold().Length > 0);
        await UntilNotHeldAsync(scene.Sides.Left(leaving));
        Assert.Equal([$"onAbort {first}"], ReadTold());

        scene.Proxy.Resume();
        await UntilNotHeldAsync(scene.Sides.Taking(leaving));
        Assert.Equal([$"onAbort {first}", $"onAbort {second}"], ReadTold());
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task The_fence_of_the_side_that_answers_is_lifted_for_a_dead_coordinator()
    {
        await using var scene = await SceneAsync(MigrationDirection.Back);
        var side = scene.Sides.Target;
        var keeper = new FenceKeeper(scene.Sides.Source, scene.Sides.Target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await keeper.TurnAsync(Cancellation);
        scene.Proxy.Stall();
        await side.CloseAsync("gone", 5, TimeSpan.FromMilliseconds(-1), Cancellation);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => keeper.TurnAsync(Cancellation))).Fault;
        Assert.Contains("The source did not answer", fault.Message, StringComparison.Ordinal);
        Assert.Equal(FenceState.Open, (await side.ReadAsync(Cancellation))!.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_fence_is_lifted_before_the_other_side_is_given_up(bool running)
    {
        await using var scene = await SceneAsync(MigrationDirection.Back);
        var side = scene.Sides.Target;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var keeper = new FenceKeeper(scene.Sides.Source, side, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await keeper.TurnAsync(Cancellation);
        var keeping = running ? keeper.RunAsync(stop.Token) : Task.CompletedTask;
        var isFirst = false;

        // On a slow machine the silent side may be given up before anything else was done: once it must be seen.
        for (var epoch = 5; epoch < 10 && !isFirst; epoch++)
        {
            scene.Proxy.Stall();
            await side.CloseAsync("gone", epoch, TimeSpan.FromMilliseconds(-1), Cancellation);
            var patience = Assert.ThrowsAsync<FaultException>(() => scene.Sides.Source.ReadAsync(Cancellation));
            var turn = running ? Task.CompletedTask : Assert.ThrowsAsync<FaultException>(() => keeper.TurnAsync(Cancellation));
            await UntilAsync(async () => patience.IsCompleted | (isFirst = (await side.ReadAsync(Cancellation))!.State == FenceState.Open));
            isFirst &= !patience.IsCompleted;
            await turn;
            await patience;
            scene.Proxy.Resume();
            await UntilAsync(async () => (await side.ReadAsync(Cancellation))!.State == FenceState.Open);
        }

        Assert.True(isFirst);
        await stop.CancelAsync();
        await keeping;
    }

    [Fact]
    public async Task An_older_copy_of_a_side_is_not_lifted_while_the_one_that_was_opened_later_says_nothing()
    {
        await using var scene = await SceneAsync(MigrationDirection.Forward);
        var (source, target) = (scene.Sides.Source, scene.Sides.Target);
        await source.CloseAsync("there", 2, Lease, Cancellation);
        Assert.True(await source.SealAsync("there", TimeSpan.Zero, null, Cancellation));
        Assert.True(await target.OpenAsync("there", 2, Cancellation));
        var keeper = new FenceKeeper(source, target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance);
        await keeper.TurnAsync(Cancellation);
        scene.Proxy.Stall();
        await scene.BringBackClosedAsync();
        await Assert.ThrowsAsync<FaultException>(() => keeper.TurnAsync(Cancellation));
        Assert.Equal(FenceState.Closed, (await source.ReadAsync(Cancellation))!.State);

        // Where nobody knows that it was opened, nobody is kept from writing.
        await Assert.ThrowsAsync<FaultException>(() => new FenceKeeper(source, target, new EndedForOthers(), TimeProvider.System, NullLogger.Instance).TurnAsync(Cancellation));
        Assert.Equal(FenceState.Open, (await source.ReadAsync(Cancellation))!.State);
    }

    [Fact]
    public async Task An_attempt_that_is_undone_lets_applications_go_and_ends_although_its_side_says_nothing()
    {
        await using var scene = await SceneAsync(MigrationDirection.Back);
        await using var along = new MigrationRuntime(scene.Definition, Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
        await using var back = new MigrationRuntime(scene.Definition.TurnedRound(), Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
        using var runner = new HookRunner();
        await using var live = new LiveCutover(
            along, back, scene.Sides, CutoverOptions.Of(scene.Definition), new RoutingHooks(scene.Definition.Cutover.Route, runner, TimeProvider.System), TimeProvider.System);
        scene.Proxy.Stall();
        await live.RouteBackAsync(new CutoverAttempt("a1", 3, MigrationDirection.Forward, "test", Rehearsal: false), _ => { }, Cancellation);
        Assert.Equal(["onAbort a1"], ReadTold());
    }

    private string[] ReadTold() => File.Exists(Told) ? File.ReadAllLines(Told) : [];

    private static Task UntilNotHeldAsync(FencedSide side) => UntilAsync(async () =>
    {
        try
        {
            return (await side.ReadAsync(Cancellation))!.Held.Length == 0;
        }
        catch (FaultException exception) when (exception.Fault.Kind is FaultKind.Unreachable or FaultKind.Transient)
        {
            return false;
        }
    });

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }

    /// <param name="leaving">The direction that leaves the side that answers: that one is open; the other one is reached through a proxy.</param>
    private async Task<Scene> SceneAsync(MigrationDirection leaving)
    {
        var source = await postgres.CreateSourceAsync(Schema);
        var target = await postgres.CreateTargetAsync(Schema);
        var proxy = new CuttingProxy(leaving == MigrationDirection.Forward ? postgres.Target.Port : postgres.Source.Port);
        var hook = new CommandHook(
            "tell", [.. new[] { "/bin/sh", "-c", "echo $CDCM_MOMENT $CDCM_TOKEN >> \"$FILE\"" }.Select(HookText.Plain)],
            new Dictionary<string, HookText> { ["FILE"] = HookText.Plain(Told) }, TimeSpan.FromMinutes(1));
        var definition = new MigrationDefinition
        {
            Name = "m",
            Source = new SourceSection(SourceKind.PostgreSql, leaving == MigrationDirection.Forward ? source.ConnectionString : Through(source, proxy)),
            Target = new TargetSection(leaving == MigrationDirection.Forward ? Through(target, proxy) : target.ConnectionString),
            Log = new LogSection { Kind = LogKind.Embedded, TopicPrefix = "m" },
            Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }],
            Cutover = new CutoverSection { Lease = Lease, Route = new RouteSection { OnAbort = [hook] } },
        };
        var scene = new Scene(source, target, proxy, definition, leaving);
        await scene.Sides.PrepareAsync(Cancellation);
        if (leaving == MigrationDirection.Back)
        {
            await scene.Sides.Source.CloseAsync("there", 2, Lease, Cancellation);
            Assert.True(await scene.Sides.Source.SealAsync("there", TimeSpan.Zero, null, Cancellation));
            Assert.True(await scene.Sides.Target.OpenAsync("there", 2, Cancellation));
        }

        return scene;
    }

    private static string Through(TestDatabase database, CuttingProxy proxy) => new NpgsqlConnectionStringBuilder(database.ConnectionString) { Port = proxy.Port }.ConnectionString;

    private sealed class Scene(TestDatabase source, TestDatabase target, CuttingProxy proxy, MigrationDefinition definition, MigrationDirection leaving) : IAsyncDisposable
    {
        private readonly NpgsqlDataSource left = PostgresConnections.CreateControl(definition.Source.Connection);
        private readonly NpgsqlDataSource taking = PostgresConnections.CreateControl(definition.Target.Connection);
        private Sides? sides;

        public CuttingProxy Proxy => proxy;

        public MigrationDefinition Definition => definition;

        public Sides Sides => sides ??= new Sides(definition, left, taking, TimeProvider.System);

        /// <summary>What the side behind the proxy is called.</summary>
        public string Silent => Sides.Taking(leaving).Name;

        /// <summary>As if the attempts' processes had died where they are; not through the proxy.</summary>
        public async Task RunOutAsync()
        {
            await source.ExecuteAsync("update cdc_migrator.fence_state set held_until = clock_timestamp() - interval '1 ms'");
            await target.ExecuteAsync("update cdc_migrator.fence_state set held_until = clock_timestamp() - interval '1 ms'");
        }

        /// <summary>The source comes back from a copy of before its seal.</summary>
        public Task BringBackClosedAsync() => source.ExecuteAsync("update cdc_migrator.fence_state set state = 'closed', lease_until = clock_timestamp() - interval '1 minute'");

        /// <summary>So that a note may be taken on either.</summary>
        public async Task OpenBothAsync()
        {
            await source.ExecuteAsync("update cdc_migrator.fence_state set state = 'open', routed = token");
            await target.ExecuteAsync("update cdc_migrator.fence_state set state = 'open', routed = token");
        }

        public async ValueTask DisposeAsync()
        {
            proxy.Resume();
            await left.DisposeAsync();
            await taking.DisposeAsync();
            await proxy.DisposeAsync();
            await source.DisposeAsync();
            await target.DisposeAsync();
        }
    }
}

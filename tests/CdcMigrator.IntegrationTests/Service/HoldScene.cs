using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>Two prepared sides of a migration with hooks, an attempt's actions on them and who tells applications in its place. A note that ran out is renewed by nobody: as if the attempt's process had died where it is.</summary>
internal sealed class HoldScene : IAsyncDisposable
{
    private const string Schema = "create table orders(id int primary key, v text)";
    private readonly TestDatabase target;
    private readonly MigrationDefinition definition;
    private readonly IHookRunner runner;
    private readonly NpgsqlDataSource nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=2");
    private readonly MigrationRuntime along;
    private readonly MigrationRuntime back;

    private HoldScene(TestDatabase source, TestDatabase target, MigrationDefinition definition, IHookRunner runner)
    {
        (Source, this.target, this.definition, this.runner) = (source, target, definition, runner);
        Sides = new Sides(definition, source.DataSource, target.DataSource, TimeProvider.System);
        along = new MigrationRuntime(definition, Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
        back = new MigrationRuntime(definition.TurnedRound(), Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);
        Live = new LiveCutover(along, back, Sides, CutoverOptions.Of(definition), Hooks, TimeProvider.System);
        Keeping = KeepingWith(TimeProvider.System);
    }

    public TestDatabase Source { get; }

    public Sides Sides { get; }

    public LiveCutover Live { get; }

    /// <summary>Of the process that <see cref="Sides"/> are of.</summary>
    public RouteKeeping Keeping { get; }

    public CutoverAttempt Attempt { get; } = new("a1", 2, MigrationDirection.Forward, "test", Rehearsal: false);

    private RoutingHooks Hooks => new(definition.Cutover.Route, runner, TimeProvider.System);

    /// <param name="postgres">The servers.</param>
    /// <param name="route">The hooks.</param>
    /// <param name="runner">Who runs them; the caller's to end.</param>
    public static async Task<HoldScene> CreateAsync(PostgresFixture postgres, RouteSection route, IHookRunner runner)
    {
        var source = await postgres.CreateSourceAsync(Schema);
        var target = await postgres.CreateTargetAsync(Schema);
        var scene = new HoldScene(
            source, target,
            new MigrationDefinition
            {
                Name = "m",
                Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
                Target = new TargetSection(target.ConnectionString),
                Log = new LogSection { TopicPrefix = "m" },
                Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }],
                Cutover = new CutoverSection { Lease = TimeSpan.FromHours(1), Deadlines = new CutoverDeadlines { Fencing = TimeSpan.FromHours(1) }, Route = route },
            },
            runner);
        await scene.Sides.PrepareAsync(TestContext.Current.CancellationToken);
        return scene;
    }

    /// <summary>The same process with another clock.</summary>
    public RouteKeeping KeepingWith(TimeProvider time) => new(definition, Sides, Hooks, time, NullLogger.Instance);

    /// <summary>Of another process.</summary>
    public RouteKeeping KeepingElsewhere() => new(definition, new Sides(definition, Source.DataSource, target.DataSource, TimeProvider.System), Hooks, TimeProvider.System, NullLogger.Instance);

    /// <summary>One that does not reach the target.</summary>
    public RouteKeeping KeepingWithoutTarget() => new(definition, new Sides(definition, Source.DataSource, nowhere, TimeProvider.System), Hooks, TimeProvider.System, NullLogger.Instance);

    /// <summary>What <see cref="Live"/> makes wait and lets go.</summary>
    public HeldApplications Applications() => new(Sides.Source, CutoverOptions.Of(definition), Hooks, TimeProvider.System);

    /// <summary>The keeper of fences of the process.</summary>
    public FenceKeeper Keeper() => new(Sides.Source, Sides.Target, Sides.Ended, TimeProvider.System, NullLogger.Instance);

    /// <summary>As if the one that renews the note had died; or, with a time yet to come, as if it had not been renewed for long.</summary>
    public Task RunOutAsync(string until = "-1 ms") => Source.ExecuteAsync($"update cdc_migrator.fence_state set held_until = clock_timestamp() + interval '{until}'");

    /// <summary>As if whoever has to tell applications had had its time.</summary>
    public Task AgeAsync() => Source.ExecuteAsync("update cdc_migrator.fence_state set changed_at = clock_timestamp() - interval '1 day'");

    /// <summary>Whether a session of the source waits for a lock.</summary>
    public async Task<bool> IsWaitedForAsync() => await Source.ScalarAsync<long>("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") > 0;

    public async ValueTask DisposeAsync()
    {
        await Live.DisposeAsync();
        await back.DisposeAsync();
        await along.DisposeAsync();
        await nowhere.DisposeAsync();
        await Source.DisposeAsync();
        await target.DisposeAsync();
    }
}

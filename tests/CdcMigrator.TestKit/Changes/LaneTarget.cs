using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.TestKit.Changes;

/// <summary>A test's target database with its control schema, routes and a lane store on it.</summary>
public sealed class LaneTarget : IAsyncDisposable
{
    private readonly TestDatabase database;
    private readonly NpgsqlDataSource apply;

    private LaneTarget(TestDatabase database, NpgsqlDataSource apply, RouteTable routes, PostgresLaneStore store)
    {
        this.database = database;
        this.apply = apply;
        Routes = routes;
        Store = store;
    }

    /// <summary>The database, as superuser.</summary>
    public TestDatabase Database => database;

    /// <summary>Apply sessions.</summary>
    public NpgsqlDataSource Apply => apply;

    /// <summary>Routes of the tables named.</summary>
    public RouteTable Routes { get; }

    /// <summary>The store under test.</summary>
    public PostgresLaneStore Store { get; }

    /// <summary>What a claim presents.</summary>
    public static LogIdentity Identity { get; } = new("cluster", "topic", 4);

    /// <summary>Migrates the control schema and loads routes of the given tables (same name on both sides).</summary>
    public static async Task<LaneTarget> CreateAsync(
        TestDatabase database, string[] tables, ISourceRows? source = null, ApplySection? options = null, TimeProvider? time = null, bool keyless = false)
    {
        ArgumentNullException.ThrowIfNull(database);
        await ControlSchema.MigrateAsync(database.DataSource, CancellationToken.None);
        var mappings = tables.Select(TableName.Parse).Select(name => new TableMapping { Source = name, Target = name, Keyless = keyless }).ToList();
        var routes = await TargetCatalog.LoadAsync(database.DataSource, mappings, CancellationToken.None);
        var apply = PostgresConnections.CreateApply(database.ConnectionString);
        var metrics = new PostgresMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
        var store = new PostgresLaneStore(apply, "test", options ?? new ApplySection(), source, metrics, time ?? TimeProvider.System, NullLogger.Instance);
        return new LaneTarget(database, apply, routes, store);
    }

    /// <summary>The route of a table of schema public.</summary>
    public TableRoute Route(string table) => Routes.Find(new TableName("public", table)) ?? throw new ArgumentException(table, nameof(table));

    /// <summary>Claims a lane of topic <c>t</c>.</summary>
    public Task<ILaneWriter> ClaimAsync(int partition = 0) => Store.ClaimAsync(new LaneId("t", partition), Identity, 0, CancellationToken.None);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await apply.DisposeAsync();
        await database.DisposeAsync();
    }
}

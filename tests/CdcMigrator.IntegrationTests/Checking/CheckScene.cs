using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.IntegrationTests.Comparing;
using CdcMigrator.Postgres.Checking;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Checks;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Checking;

/// <summary>Two databases at rest, and a log in which only those changes are on their way that a test puts there.</summary>
internal sealed class CheckScene : IAsyncDisposable
{
    private readonly SidesScene scene;
    private readonly NpgsqlDataSource sourceRead;
    private readonly NpgsqlDataSource targetRead;
    private readonly IReadOnlyList<CheckedTable> tables;
    private readonly StillReader reader;

    private CheckScene(SidesScene scene, IReadOnlyList<CheckedTable> tables, StillReader reader)
    {
        this.scene = scene;
        this.tables = tables;
        this.reader = reader;
        sourceRead = PostgresConnections.CreateVerify(scene.Source.ConnectionString);
        targetRead = PostgresConnections.CreateVerify(scene.Target.ConnectionString);
    }

    public TestDatabase Source => scene.Source;

    public TestDatabase Target => scene.Target;

    public PostgresCheckedSide SourceSide => new(sourceRead, readsFurthest: false);

    public PostgresCheckedSide TargetSide => new(targetRead, readsFurthest: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<CheckScene> CreateAsync(PostgresFixture postgres, string source, string? target, params string[] names)
    {
        var scene = await SidesScene.CreateAsync(postgres, source, target);
        var tables = new List<CheckedTable>();
        foreach (var name in names)
        {
            tables.Add(new CheckedTable(await scene.TableAsync(name), name, new ChangeIndex()));
        }

        // Long before anything that other tests' transactions on the same server may hold back.
        return new CheckScene(scene, tables, new StillReader(PostgresView.Parse("3:3::3")));
    }

    /// <summary>A change of a row that the source has committed and the target has yet to apply.</summary>
    public void OnItsWay(string table, params string[] key) => Table(table).Index.Add(new RowKey(key), new ChangeMark(0, 5, 3, IsRead: false));

    public async Task<IReadOnlyDictionary<string, CheckResult>> ConstraintsAsync() =>
        (await new ConstraintCheck(new TargetConstraints(targetRead), scene.Sides, reader, tables, TimeProvider.System).CheckAsync(Token)).ToDictionary(result => result.Name);

    public Task<CheckResult> RuleAsync(string source, string target, TimeSpan? timeout = null) =>
        new RuleCheck(scene.Sides, reader, tables, timeout ?? TimeSpan.FromSeconds(30), TimeProvider.System).CheckAsync(new BusinessRule("r", source, target, 0), Token);

    public Task<CheckResult> CountAsync(string table) => new CountCheck(scene.Sides, reader, TimeProvider.System, 0.001m).CheckAsync(Table(table), Token);

    public Task<CheckResult> SampleAsync(string table, params RowKey[] restarts) =>
        new SampleCheck(scene.Sides, reader, 0.99, 0.01, TimeProvider.System).CheckAsync(Table(table), restarts, Token);

    /// <summary>Rows that a sample of each side has for their values.</summary>
    public async Task<IReadOnlyList<IReadOnlySet<RowKey>>> OddRowsAsync(string table)
    {
        await using var source = await scene.Sides.OpenSourceAsync(Token);
        await using var target = await scene.Sides.OpenTargetAsync(Token);
        var sets = new List<IReadOnlySet<RowKey>>();
        foreach (var side in new ISideSnapshot[] { source, target })
        {
            var sampled = await side.SampleAsync(Table(table).Table, 10, Token);
            Assert.Equal(10, sampled.Count(row => row.Stratum == SampleStratum.Random));
            sets.Add(sampled.Where(row => row.Stratum is SampleStratum.LongestValues or SampleStratum.EdgeValues).Select(row => row.Key).ToHashSet());
        }

        return sets;
    }

    public async Task<IReadOnlyList<CheckResult>> SchemaAsync(params TableMapping[] mappings) => new SchemaParity(true).Of(
        mappings, await SourceSide.ReadTablesAsync([.. mappings.Select(mapping => mapping.Source)], Token), await TargetSide.ReadTablesAsync([.. mappings.Select(mapping => mapping.Target)], Token));

    public async ValueTask DisposeAsync()
    {
        await sourceRead.DisposeAsync();
        await targetRead.DisposeAsync();
        await scene.DisposeAsync();
    }

    private CheckedTable Table(string name) => tables.Single(table => table.Topic == name);

    private sealed class StillReader(ISourceView began) : IChangeReader
    {
        public IReadOnlyDictionary<LaneId, long> Positions => new Dictionary<LaneId, long>();

        public ISourceView Began => began;

        public Task PassAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

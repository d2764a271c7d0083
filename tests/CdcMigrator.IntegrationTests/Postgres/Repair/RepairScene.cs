using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Repair;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Repair;

/// <summary>A source, a target, and lanes of one table <c>t</c> in one partition.</summary>
internal sealed class RepairScene : IAsyncDisposable
{
    private readonly NpgsqlDataSource read;
    private readonly NpgsqlDataSource verifySource;
    private readonly NpgsqlDataSource verifyTarget;

    private RepairScene(TestDatabase source, LaneTarget target, NpgsqlDataSource read)
    {
        Source = source;
        Target = target;
        this.read = read;
        verifySource = PostgresConnections.CreateVerify(source.ConnectionString);
        verifyTarget = PostgresConnections.CreateVerify(target.Database.ConnectionString);
        Repair = new RowRepair(target.Store);
    }

    public static LaneId Lane { get; } = new("t", 0);

    public TestDatabase Source { get; }

    public LaneTarget Target { get; }

    public TestDatabase Database => Target.Database;

    public RowRepair Repair { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<RepairScene> CreateAsync(PostgresFixture postgres, string source, string? target = null, bool claimed = true)
    {
        var from = await postgres.CreateSourceAsync(source);
        var read = PostgresConnections.CreateSourceRead(from.ConnectionString);
        var scene = new RepairScene(from, await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(target ?? source), ["public.t"], new SourceRows(read, TimeProvider.System)), read);
        await (claimed ? scene.ClaimAsync() : Task.CompletedTask);
        return scene;
    }

    public Task<Domain.Applying.ILaneWriter> ClaimAsync() => Target.Store.ClaimAsync(Lane, LaneTarget.Identity with { PartitionCount = 1 }, 0, CancellationToken.None);

    public async Task<ComparedTable> TableAsync() =>
        (await ComparedTables.ReadAsync(verifySource, verifyTarget, [Target.Route("t").Mapping], Token))[0];

    /// <summary>What a comparison at rest finds wrong.</summary>
    public async Task<Dictionary<RowKey, RowMismatch>> WrongAsync()
    {
        var table = await TableAsync();
        Assert.Null(table.Unverifiable);
        var sides = new PostgresSides(verifySource, verifyTarget, "test", () => null);
        await using var source = await sides.OpenSourceAsync(Token);
        await using var target = await sides.OpenTargetAsync(Token);
        var (here, there) = ((await source.HashesAsync(table, KeyRange.All, Token)).ToDictionary(row => row.Key), (await target.HashesAsync(table, KeyRange.All, Token)).ToDictionary(row => row.Key));
        return here.Keys.Union(there.Keys).Where(key => here.GetValueOrDefault(key) != there.GetValueOrDefault(key)).ToDictionary(
            key => key,
            key => new RowMismatch(key, !there.ContainsKey(key) ? DifferenceKind.Missing : here.ContainsKey(key) ? DifferenceKind.Different : DifferenceKind.Extra, []));
    }

    public async Task<RepairOrder> OrderAsync(IReadOnlyDictionary<RowKey, RowMismatch> wrong, bool dryRun = false) =>
        new(Lane.Topic, Target.Route("t"), await TableAsync(), wrong, "somebody", dryRun);

    /// <summary>Repairs rows; each as <c>key action</c> or <c>key code</c>.</summary>
    public async Task<IReadOnlyList<string>> RepairAsync(IReadOnlyDictionary<RowKey, RowMismatch> wrong, IReadOnlyCollection<RowKey>? keys = null, bool dryRun = false) =>
        [.. (await Repair.RepairAsync(await OrderAsync(wrong, dryRun), keys ?? [.. wrong.Keys], Token)).Select(row => $"{row.Key} {row.Fault?.Code ?? row.Action.ToString()}").Order(StringComparer.Ordinal)];

    public Task<IReadOnlyList<string>> RowsAsync() => Database.RowsAsync("select * from t order by id");

    public Task<IReadOnlyList<string>> JournalAsync() => Database.RowsAsync(
        "select actor, event, e ->> 'key', e ->> 'kind', e ->> 'action' from cdc_migrator.journal, jsonb_array_elements(evidence) with ordinality as x(e, n) order by id, e ->> 'key'");

    public async ValueTask DisposeAsync()
    {
        await Target.DisposeAsync();
        await read.DisposeAsync();
        await verifySource.DisposeAsync();
        await verifyTarget.DisposeAsync();
        await Source.DisposeAsync();
    }
}

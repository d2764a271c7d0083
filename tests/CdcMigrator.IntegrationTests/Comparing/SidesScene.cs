using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Comparing;

/// <summary>A source and a target with the same tables, and snapshots of both.</summary>
internal sealed class SidesScene : IAsyncDisposable
{
    public const string Migration = "m";

    private readonly NpgsqlDataSource sourceRead;
    private readonly NpgsqlDataSource targetRead;

    private SidesScene(TestDatabase source, TestDatabase target)
    {
        Source = source;
        Target = target;
        sourceRead = PostgresConnections.CreateVerify(source.ConnectionString);
        targetRead = PostgresConnections.CreateVerify(target.ConnectionString);
        Sides = new PostgresSides(sourceRead, targetRead, Migration, () => null);
    }

    public TestDatabase Source { get; }

    public TestDatabase Target { get; }

    public PostgresSides Sides { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<SidesScene> CreateAsync(PostgresFixture postgres, string source, string? target = null)
    {
        var scene = new SidesScene(await postgres.CreateSourceAsync(source), await postgres.CreateTargetAsync(target ?? source));
        await using var control = PostgresConnections.CreateControl(scene.Target.ConnectionString);
        await ControlSchema.MigrateAsync(control, Token);
        return scene;
    }

    public async Task<ComparedTable> TableAsync(TableMapping mapping) => (await ComparedTables.ReadAsync(sourceRead, targetRead, [mapping], Token))[0];

    public Task<ComparedTable> TableAsync(string name = "public.t") => TableAsync(Mapping(name));

    public static TableMapping Mapping(string name) => new() { Source = TableName.Parse(name), Target = TableName.Parse(name) };

    /// <summary>Rows that differ as <c>key kind columns</c>, found by digest and then by hashes; the two must agree.</summary>
    public async Task<IReadOnlyList<string>> DifferencesAsync(ComparedTable table)
    {
        Assert.Null(table.Unverifiable);
        await using var source = await Sides.OpenSourceAsync(Token);
        await using var target = await Sides.OpenTargetAsync(Token);
        var (here, there) = (await source.HashesAsync(table, KeyRange.All, Token), await target.HashesAsync(table, KeyRange.All, Token));
        var (left, right) = (here.ToDictionary(row => row.Key), there.ToDictionary(row => row.Key));
        var keys = left.Keys.Union(right.Keys).Where(key => left.GetValueOrDefault(key) != right.GetValueOrDefault(key)).ToList();
        var (rowsHere, rowsThere) = (await source.RowsAsync(table, keys, Token), await target.RowsAsync(table, keys, Token));
        var found = keys.Select(key => (Key: key, Text: !right.ContainsKey(key) ? $"{key} missing" : !left.ContainsKey(key) ? $"{key} extra"
            : $"{key} {string.Join(',', table.Columns.Where((_, i) => rowsHere[key][i] != rowsThere[key][i]).Select(column => column.Source))}")).ToList();
        await AgreeAsync(table, source, target, keys);
        return [.. found.Select(row => row.Text).Order(StringComparer.Ordinal)];
    }

    public async ValueTask DisposeAsync()
    {
        await sourceRead.DisposeAsync();
        await targetRead.DisposeAsync();
        await Source.DisposeAsync();
        await Target.DisposeAsync();
    }

    /// <summary>Every way to ask for rows finds the same ones: the whole table, buckets, ranges, keys.</summary>
    private static async Task AgreeAsync(ComparedTable table, ISourceSnapshot source, ITargetSnapshot target, List<RowKey> differing)
    {
        const int buckets = 64;
        var equal = differing.Count == 0;
        Assert.Equal(equal, await source.DigestAsync(table, KeyRange.All, Token) == await target.DigestAsync(table, KeyRange.All, Token));
        var (here, there) = (await source.DigestBucketsAsync(table, buckets, Token), await target.DigestBucketsAsync(table, buckets, Token));
        var suspect = Enumerable.Range(0, buckets).Where(bucket => here[bucket] != there[bucket]).ToArray();
        var range = KeyRange.All with { Buckets = suspect, BucketCount = buckets };
        Assert.Equal(differing.ToHashSet(), Differing(await source.HashesAsync(table, range, Token), await target.HashesAsync(table, range, Token)));
        Assert.Equal(differing.ToHashSet(), Differing(await source.HashesAsync(table, differing, Token), await target.HashesAsync(table, differing, Token)));
        Assert.Equal(await source.DigestAsync(table, KeyRange.All, Token), new ChunkDigest(here.Sum(digest => digest.Rows), here.Aggregate(Int128.Zero, (sum, digest) => sum + digest.Sum)));
        if (table.Order != ChunkOrder.KeyRanges)
        {
            return;
        }

        var found = new HashSet<RowKey>();
        RowKey? after = null;
        do
        {
            var upTo = await source.BoundaryAsync(table, after, 70, Token);
            var chunk = new KeyRange(after, upTo);
            var (one, other) = (await source.DigestAsync(table, chunk, Token), await target.DigestAsync(table, chunk, Token));
            var wrong = Differing(await source.HashesAsync(table, chunk, Token), await target.HashesAsync(table, chunk, Token));
            Assert.Equal(wrong.Count == 0, one == other);
            found.UnionWith(wrong);
            after = upTo;
        }
        while (after is not null);

        Assert.Equal(differing.ToHashSet(), found);
    }

    private static HashSet<RowKey> Differing(IReadOnlyList<RowHash> here, IReadOnlyList<RowHash> there) =>
        [.. here.Except(there).Concat(there.Except(here)).Select(row => row.Key)];
}

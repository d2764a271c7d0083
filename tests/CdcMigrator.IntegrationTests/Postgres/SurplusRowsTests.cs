using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Resync;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres;

/// <summary>Rows the source no longer has, and rows that only look like it.</summary>
public sealed class SurplusRowsTests(PostgresFixture postgres)
{
    private const string Schema = "create table t(a int, b text, v text, primary key (a, b)); create table child(a int, b text, foreign key (a, b) references t)";
    private static readonly TableName Table = new("public", "t");

    [Fact]
    public async Task Only_rows_the_source_lacks_are_removed_whatever_refers_to_them()
    {
        await using var scene = await Scene.CreateAsync(postgres);
        await scene.Source.ExecuteAsync("insert into t select g, 'ü \"' || g, 'x' from generate_series(1, 5000) g where g % 100 <> 7");
        await scene.Target.ExecuteAsync("insert into t select g, 'ü \"' || g, 'x' from generate_series(1, 5000) g; insert into child values (7, 'ü \"7')");

        Assert.Equal(50, await scene.RemoveAsync(new SourceRows(scene.Read, TimeProvider.System)));

        Assert.Equal(await scene.Source.RowsAsync("select * from t order by 1"), await scene.Target.RowsAsync("select * from t order by 1"));
        Assert.Equal(0, await scene.RemoveAsync(new SourceRows(scene.Read, TimeProvider.System)));
    }

    [Fact]
    public async Task A_row_that_a_lane_wrote_after_it_was_looked_at_stays()
    {
        await using var scene = await Scene.CreateAsync(postgres);
        await scene.Target.ExecuteAsync("insert into t values (1, 'gone', 'x'), (2, 'back', 'x'), (3, 'changed', 'x')");
        var rows = new MeanwhileRows(new SourceRows(scene.Read, TimeProvider.System), async () =>
        {
            // Behind the source's snapshot: a row comes back, and its event is applied before the removal.
            await scene.Target.ExecuteAsync("delete from t where a = 2; insert into t values (2, 'back', 'new')");
            await scene.Target.ExecuteAsync("update t set v = 'new' where a = 3");
        });

        Assert.Equal(1, await scene.RemoveAsync(rows));
        Assert.Equal(["2|back|new", "3|changed|new"], await scene.Target.RowsAsync("select * from t order by 1"));
    }

    [Fact]
    public async Task A_transaction_that_the_log_may_hold_before_it_is_visible_is_waited_for()
    {
        await using var scene = await Scene.CreateAsync(postgres);
        await scene.Target.ExecuteAsync("insert into t values (1, 'early', 'x')");
        await using var writer = await scene.Source.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await writer.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var insert = writer.CreateCommand())
        {
            insert.CommandText = "insert into t values (1, 'early', 'x')";
            await insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        // It is committed only once the source was looked at without it.
        var time = new WatchedTime();
        var removal = scene.RemoveAsync(new SourceRows(scene.Read, time));
        Assert.Same(time.Waited.Task, await Task.WhenAny(removal, time.Waited.Task));
        await transaction.CommitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, await removal);
        Assert.Equal(["1|early|x"], await scene.Target.RowsAsync("select * from t"));
    }

    [Fact]
    public async Task A_numeric_key_of_another_scale_is_the_same_row()
    {
        await using var scene = await Scene.CreateAsync(postgres);
        await scene.Source.ExecuteAsync("drop table child, t; create table t(a numeric primary key); insert into t values (1), (2.5)");
        await scene.Target.ExecuteAsync("drop table child, t; create table t(a numeric(12,2) primary key); insert into t values (1), (2.5), (3)");

        Assert.Equal(1, await scene.RemoveAsync(new SourceRows(scene.Read, TimeProvider.System)));
        Assert.Equal(["1.00", "2.50"], await scene.Target.RowsAsync("select * from t order by 1"));
    }

    [Theory]
    [InlineData("open")]
    [InlineData("closed")]
    public async Task Nothing_is_removed_or_copied_where_applications_write_though_they_came_between_the_sources_answer_and_the_removal(string state)
    {
        await using var scene = await Scene.CreateAsync(postgres);
        await scene.Target.ExecuteAsync("insert into t values (1, 'theirs', 'x'); insert into cdc_migrator.fence_state (migration, state, epoch) values ('m', 'sealed', 1), ('other', 'open', 1)");
        var rows = new MeanwhileRows(new SourceRows(scene.Read, TimeProvider.System), () => scene.Target.ExecuteAsync($"update cdc_migrator.fence_state set state = '{state}' where migration = 'm'"));

        var refused = await Assert.ThrowsAsync<FaultException>(() => scene.RemoveAsync(rows));
        Assert.Equal((FaultKind.NotAllowed, "side-in-use"), (refused.Fault.Kind, refused.Fault.Code));
        Assert.Equal(["1|theirs|x"], await scene.Target.RowsAsync("select * from t"));

        var store = new ResyncStore(scene.Target.DataSource, "m");
        Assert.Equal("side-in-use", (await Assert.ThrowsAsync<FaultException>(() => store.RequestAsync([Table], "test", TestContext.Current.CancellationToken))).Fault.Code);
        Assert.Empty(await store.ReadAsync(TestContext.Current.CancellationToken));

        await scene.Target.ExecuteAsync("update cdc_migrator.fence_state set state = 'sealed' where migration = 'm'");
        await store.RequestAsync([Table], "test", TestContext.Current.CancellationToken);
        Assert.Equal(["public.t|requested"], (await store.ReadAsync(TestContext.Current.CancellationToken)).Select(copy => $"{copy.Table}|{copy.Phase}"));
        Assert.Equal(1, await scene.RemoveAsync(new SourceRows(scene.Read, TimeProvider.System)));
    }

    /// <summary>Does something between the source's answer and the removal.</summary>
    private sealed class MeanwhileRows(ISourceRows inner, Func<Task> meanwhile) : ISourceRows
    {
        public async Task<IReadOnlyList<string?[]?>> ReadAsync(
            TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken)
        {
            var rows = await inner.ReadAsync(route, keys, columns, transactions, cancellationToken);
            await meanwhile();
            return rows;
        }

        public IAsyncEnumerable<string[]> ReadKeysAsync(TableRoute route, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
            inner.ReadKeysAsync(route, transactions, cancellationToken);

        public Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken) => inner.ReadRunningAsync(cancellationToken);
    }

    /// <summary>The system's time, which tells when somebody begins to wait.</summary>
    private sealed class WatchedTime : TimeProvider
    {
        public TaskCompletionSource Waited { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waited.TrySetResult();
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }

    private sealed class Scene : IAsyncDisposable
    {
        public required TestDatabase Source { get; init; }

        public required TestDatabase Target { get; init; }

        public required Npgsql.NpgsqlDataSource Read { get; init; }

        public required Npgsql.NpgsqlDataSource Apply { get; init; }

        public static async Task<Scene> CreateAsync(PostgresFixture postgres)
        {
            var (source, target) = (await postgres.CreateSourceAsync(Schema), await postgres.CreateTargetAsync(Schema));
            await ControlSchema.MigrateAsync(target.DataSource, TestContext.Current.CancellationToken);
            return new Scene
            {
                Source = source,
                Target = target,
                Read = PostgresConnections.CreateSourceRead(source.ConnectionString),
                Apply = PostgresConnections.CreateApply(target.ConnectionString),
            };
        }

        public async Task<long> RemoveAsync(ISourceRows rows)
        {
            var routes = await TargetCatalog.LoadAsync(Target.DataSource, [new TableMapping { Source = Table, Target = Table }], TestContext.Current.CancellationToken);
            return await new SurplusRows(Apply, "m", rows, TimeProvider.System).RemoveAsync(routes.Find(Table)!, TestContext.Current.CancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await Read.DisposeAsync();
            await Apply.DisposeAsync();
            await Source.DisposeAsync();
            await Target.DisposeAsync();
        }
    }
}

using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.UnitTests.Postgres.Apply;

/// <summary>What is read of rows whose changes may be repeats, and what of the source must be seen before.</summary>
public sealed class DoubtedRowTests
{
    private static readonly LaneId Lane = new("shop.public.users", 0);
    private static readonly SourcePosition Applied = new(500, 510, 50);
    private readonly TableRoute route = TestRoutes.Of("public.users", TestRoutes.Bigint("id"), TestRoutes.Text("name"), TestRoutes.Text("note"));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_doubted_row_is_read_where_all_that_may_have_been_applied_is_seen(bool whole)
    {
        var source = new Source("now");
        var net = Reduce(new BatchBuilder(Lane).Add(route, ChangeOperation.Update, KeyChangeHalf.None, new SourcePosition(100, 110, 10), ("id", "1"), ("name", "then"), ("note", "n")));
        await (whole
            ? new Reselection(source).CompleteAsync(net, [0], whole: true, TestContext.Current.CancellationToken)
            : new Reselection(source).CompleteInsertsAsync(net, TestContext.Current.CancellationToken));

        Assert.Equal([10u, 41u, 42u, 50u], source.Seen!.Order());
        Assert.Equal("now", Text(net, 1));
    }

    [Fact]
    public async Task Of_a_row_that_is_not_doubted_its_own_change_is_enough()
    {
        var source = new Source("now");
        var net = Reduce(new BatchBuilder(Lane).Add(route, ChangeOperation.Insert, KeyChangeHalf.None, new SourcePosition(600, 610, 60), ("id", "1"), ("name", BatchBuilder.Unavailable), ("note", "n")));
        await new Reselection(source).CompleteInsertsAsync(net, TestContext.Current.CancellationToken);

        Assert.Equal([60u], source.Seen);
        Assert.Equal(0, source.Asked);
    }

    [Fact]
    public async Task A_row_whose_changes_end_with_a_delete_is_written_as_the_source_has_it()
    {
        var known = route.WithSource(new Dictionary<string, OriginColumn> { ["id"] = new(null), ["name"] = new(null) });
        var batch = new BatchBuilder(Lane).Add(known, ChangeOperation.Delete, KeyChangeHalf.None, new SourcePosition(100, 110, 10), ("id", "1")).Build();
        var net = NetEffect.Of(batch, 0, 1);
        await new Reselection(new Source("now")).TakeAllAsync(net, TestContext.Current.CancellationToken);

        // A column that nothing in the source feeds is left alone.
        Assert.Equal((WriteKind.Upsert, true), (net.Rows[0].Kind, net.Rows[0].DeleteFirst));
        Assert.Equal(("1", "now", ColumnState.Absent), (Text(net, 0), Text(net, 1), net.Slots(net.Rows[0])[2].State));

        net = NetEffect.Of(batch, 0, 1);
        await new Reselection(new Source(null)).TakeAllAsync(net, TestContext.Current.CancellationToken);
        Assert.Equal((WriteKind.None, true), (net.Rows[0].Kind, net.Rows[0].DeleteFirst));
    }

    private static NetEffect Reduce(BatchBuilder batch) => NetEffect.Of(batch.Build(), 0, 1, new RepeatGuard(Applied, CanAsk: true));

    private static string Text(NetEffect net, int column) => Encoding.UTF8.GetString(net.Batch.Value(net.Slots(net.Rows[0])[column]));

    /// <summary>A source whose rows have one value everywhere but in their keys; none where that is null.</summary>
    private sealed class Source(string? value) : ISourceRows
    {
        public IReadOnlyCollection<uint>? Seen { get; private set; }

        public int Asked { get; private set; }

        public Task<IReadOnlyList<string?[]?>> ReadAsync(
            TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken)
        {
            Seen = transactions;
            return Task.FromResult<IReadOnlyList<string?[]?>>([.. keys.Select(key => value is null ? null : columns.Select(column => route.Key.Columns.Contains(column) ? key[0] : value).ToArray())]);
        }

        public IAsyncEnumerable<string[]> ReadKeysAsync(TableRoute route, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken)
        {
            Asked++;
            return Task.FromResult<IReadOnlyCollection<uint>>([41, 42]);
        }
    }
}

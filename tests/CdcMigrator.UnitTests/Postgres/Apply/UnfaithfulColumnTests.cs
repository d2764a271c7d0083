using System.Text;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.UnitTests.Postgres.Apply;

/// <summary>Columns no event carries faithfully are read from the source for updates too; unchanged TOAST columns are not.</summary>
public sealed class UnfaithfulColumnTests
{
    private readonly DebeziumEventBuilder events = new("public.shifts");
    private readonly TableRoute route = TestRoutes.Of(
        "public.shifts", TestRoutes.Bigint("id"), TestRoutes.Column("starts", ColumnKind.TimeTz, "time with time zone", "timetz"), TestRoutes.Text("note"));

    [Fact]
    public async Task An_update_reads_what_its_event_cannot_carry()
    {
        var source = new Source();
        var net = await Complete(source, events.Update(("id", 1), ("starts", "07:04:56Z"), ("note", "a")), events.Update(("id", 2), ("starts", "08:00:00Z"), ("note", "b")));

        Assert.Equal(["1", "2"], source.Keys);
        Assert.Equal([1], source.Columns);
        Assert.Equal(["source value of 1", "source value of 2"], net.Rows.ToArray().Select(row => Text(net, row, 1)));
    }

    [Fact]
    public async Task An_update_of_an_unchanged_TOAST_value_reads_nothing()
    {
        var source = new Source();
        await Complete(source, events.Update(("id", 1), ("note", DebeziumEventBuilder.Unavailable)));

        Assert.Empty(source.Keys);
    }

    [Fact]
    public async Task A_later_value_that_cannot_be_carried_wins_over_an_earlier_one_that_was()
    {
        var dated = TestRoutes.Of("public.shifts", TestRoutes.Bigint("id"), TestRoutes.Column("at", ColumnKind.Timestamp, "timestamp"));
        var source = new Source();
        var net = await Complete(source, [dated], events.Insert(("id", 1), ("at", 0)), events.Update(("id", 1), ("at", long.MaxValue)));

        Assert.Equal("source value of 1", Text(net, net.Rows[0], 1));
    }

    private static string Text(NetEffect net, in NetRow row, int column) => Encoding.UTF8.GetString(net.Batch.Value(net.Slots(row)[column]));

    private Task<NetEffect> Complete(Source source, params LogRecord[] records) => Complete(source, [route], records);

    private static async Task<NetEffect> Complete(Source source, TableRoute[] routes, params LogRecord[] records)
    {
        var table = new RouteTable(routes);
        var decoder = new DebeziumDecoder(new DebeziumSettings { TopicPrefix = "shop", Time = TimePrecisionMode.Microseconds }, () => table, null);
        var batch = new ChangeBatch();
        batch.Reset(records[0].Lane, 0);
        foreach (var record in records)
        {
            decoder.Decode(record, batch);
        }

        var net = NetEffect.Of(batch, 0, batch.Changes.Count);
        await new Reselection(source).CompleteInsertsAsync(net, TestContext.Current.CancellationToken);
        return net;
    }

    private sealed class Source : ISourceRows
    {
        public List<string> Keys { get; } = [];

        public IReadOnlyList<int> Columns { get; private set; } = [];

        public Task<IReadOnlyList<string?[]?>> ReadAsync(
            TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken)
        {
            Keys.AddRange(keys.Select(key => key[0]));
            Columns = columns;
            return Task.FromResult<IReadOnlyList<string?[]?>>([.. keys.Select(key => columns.Select(_ => (string?)$"source value of {key[0]}").ToArray())]);
        }

        public IAsyncEnumerable<string[]> ReadKeysAsync(TableRoute route, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyCollection<uint>>([]);
    }
}

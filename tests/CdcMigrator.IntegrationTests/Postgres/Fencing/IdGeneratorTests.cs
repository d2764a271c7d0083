using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>Values that were handed out before the fence, or drawn behind it, and are used on the side that takes over.</summary>
public sealed class IdGeneratorTests(PostgresFixture postgres)
{
    private const string Schema = """
        create sequence cached cache 50; create sequence blocks increment by 50; create sequence down increment by -1;
        create table orders(id bigint primary key default nextval('cached'), v text);
        """;

    private const int Margin = 100;
    private static readonly TableName[] Tables = [new("public", "orders")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Held_blocks_and_cached_values_are_denied_where_they_were_drawn_and_collide_with_nothing_where_the_application_goes()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema);
        var fence = new SourceFence(source.DataSource, Tables, TimeProvider.System);
        await fence.PrepareAsync(Cancellation);
        await using var one = await source.DataSource.OpenConnectionAsync(Cancellation);
        await using var two = await source.DataSource.OpenConnectionAsync(Cancellation);
        List<long> held = [await NextAsync(one, "cached"), await NextAsync(two, "cached"), await NextAsync(one, "cached"), await NextAsync(two, "down")];
        var block = await NextAsync(one, "blocks");

        await fence.CloseAsync(Cancellation);
        var behind = await NextAsync(one, "blocks");
        foreach (var write in new[] { $"insert into orders values ({block}, 'of a block')", "insert into orders(v) values ('by default')" })
        {
            var denied = await Assert.ThrowsAsync<PostgresException>(() => new NpgsqlCommand(write, one).ExecuteNonQueryAsync(Cancellation));
            Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, denied.SqlState);
        }

        await AdvanceAsync();

        // What generators still hold, and what they draw from the side that was left until they notice: within the margin.
        held.AddRange(Enumerable.Range(0, 50).Select(i => block + i));
        held.AddRange(Enumerable.Range(0, 50).Select(i => behind + i));
        held.Add(await NextAsync(one, "cached"));
        var late = await NextAsync(two, "blocks");
        held.AddRange(Enumerable.Range(0, 50).Select(i => late + i));
        List<long> there = [];
        await using var application = await target.DataSource.OpenConnectionAsync(Cancellation);
        for (var i = 0; i < 60; i++)
        {
            there.Add(await NextAsync(application, "cached"));
        }

        for (var i = 0; i < 3; i++)
        {
            var first = await NextAsync(application, "blocks");
            there.AddRange(Enumerable.Range(0, 50).Select(value => first + value));
            there.Add(await NextAsync(application, "down"));
        }

        Assert.True(there.Take(60).Min() > 100, "a cached value of the other side was given again");
        Assert.True(there.Where(value => value > 5000).Min() > late + 49, "a block of the other side was given again");
        Assert.True(there.Where(value => value < 0).Max() < held.Min(), "a descending sequence was not moved downwards");

        // Asked again, as often as one likes: never back.
        Assert.Empty(await AdvanceAsync());

        Task<IReadOnlyList<TableName>> AdvanceAsync() =>
            Sequences.AdvanceAsync(source.DataSource, target.DataSource, [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }], Margin, Cancellation);
    }

    private static async Task<long> NextAsync(NpgsqlConnection connection, string sequence) =>
        (long)(await new NpgsqlCommand($"select nextval('{sequence}')", connection).ExecuteScalarAsync(Cancellation))!;
}

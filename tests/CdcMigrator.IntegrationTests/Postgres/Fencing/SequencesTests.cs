using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

public sealed class SequencesTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Sequences_move_past_the_source_in_their_own_direction_and_never_back()
    {
        const string sql = "create sequence up; create sequence down increment -1; create sequence ahead; create sequence untouched";
        await using var source = await postgres.CreateSourceAsync(sql + "; select setval('up', 500), setval('down', -40), setval('ahead', 10)");
        await using var target = await postgres.CreateTargetAsync(sql + "; select setval('ahead', 900)");

        var moved = await Sequences.AdvanceAsync(source.DataSource, target.DataSource, new Dictionary<string, string> { ["public"] = "public" }, 10, TestContext.Current.CancellationToken);

        Assert.Equal(["down", "up"], moved.Select(name => name.Name).Order());
        Assert.Equal(511, await target.ScalarAsync<long>("select nextval('up')"));
        Assert.Equal(-51, await target.ScalarAsync<long>("select nextval('down')"));
        Assert.Equal(901, await target.ScalarAsync<long>("select nextval('ahead')"));
        Assert.Equal(1, await target.ScalarAsync<long>("select nextval('untouched')"));
    }
}

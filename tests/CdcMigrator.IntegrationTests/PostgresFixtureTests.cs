using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests;

public sealed class PostgresFixtureTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_database_of_the_fixture_answers_with_logical_decoding_on()
    {
        await using var database = await postgres.CreateSourceAsync("create table t(id int primary key); insert into t values (1)");
        Assert.Equal("logical", await database.ScalarAsync<string>("show wal_level"));
        Assert.Equal(["1"], await database.RowsAsync("select id from t"));
    }
}

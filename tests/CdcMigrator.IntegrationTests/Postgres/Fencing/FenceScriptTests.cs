using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>The SQL an operator has left when nothing else works, run by psql.</summary>
public sealed class FenceScriptTests(PostgresFixture postgres)
{
    private const string Migration = "it's";
    private const string Schema = """
        create schema "Odd ""one"; create table "Odd ""one"."Or'ders"(id int primary key);
        create table parts(id int, d int, primary key (id, d)) partition by range (d); create table p1 partition of parts for values from (0) to (10);
        """;

    private static readonly TableName[] Tables = [new("Odd \"one", "Or'ders"), new("public", "parts")];
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_closed_side_is_opened_by_psql_alone_and_a_late_script_changes_nothing(bool newest)
    {
        await using var database = newest ? await postgres.CreateTargetAsync(Schema) : await postgres.CreateSourceAsync(Schema);
        var side = await PrepareAsync(database, open: true);
        await side.CloseAsync("a", 2, Lease, Cancellation);
        await database.ExecuteAsync("create table p2 partition of parts for values from (10) to (20)");
        Assert.False(await IsWritableAsync(database));
        var script = await side.LiftScriptAsync(Cancellation);

        Assert.Equal((0, ""), await PsqlAsync(database, script));
        Assert.True(await IsWritableAsync(database));
        await database.ExecuteAsync("insert into p2 values (1, 11); delete from p2");
        Assert.Equal(FenceState.Open, (await side.ReadAsync(Cancellation))!.State);
        Assert.Equal(["fence-closed|test|a", "fence-undone|psql (postgres)|a"], await database.RowsAsync("select event, actor, evidence ->> 'token' from cdc_migrator.journal order by id"));

        // Again, and beside a later attempt.
        await side.CloseAsync("b", 3, Lease, Cancellation);
        var (exit, error) = await PsqlAsync(database, script);
        Assert.Equal(3, exit);
        Assert.Contains("nothing was changed: this attempt does not hold the side closed any more", error, StringComparison.Ordinal);
        Assert.False(await IsWritableAsync(database));
        Assert.Equal(0, (await PsqlAsync(database, await side.LiftScriptAsync(Cancellation))).Exit);
        Assert.True(await IsWritableAsync(database));
    }

    [Fact]
    public async Task A_side_that_was_left_is_not_opened_again_but_the_other_one_is()
    {
        await using var left = await postgres.CreateSourceAsync(Schema);
        await using var right = await postgres.CreateTargetAsync(Schema);
        var (source, target) = (await PrepareAsync(left, open: true), await PrepareAsync(right, open: false));
        await right.ExecuteAsync("insert into cdc_migrator.progress (migration, topic, partition, next_offset, cluster_id, partition_count) values ('it''s', 't', 0, 7, 'c', 1), ('other', 't', 0, 7, 'c', 1)");
        Assert.Equal(3, (await PsqlAsync(right, FenceScript.Open((await source.ReadAsync(Cancellation))!, Migration, Tables, terms: null))).Exit);
        await source.CloseAsync("a", 2, Lease, Cancellation);
        var early = FenceScript.Open((await source.ReadAsync(Cancellation))!, Migration, Tables, terms: null);
        Assert.Contains("was not left for good", (await PsqlAsync(right, early)).Error, StringComparison.Ordinal);
        var terms = new OpeningTerms([new LaneEnd("t", 0, 7), new LaneEnd("it's", 1, 0)], "", "m'1", "");
        Assert.True(await source.SealAsync("a", TimeSpan.FromSeconds(2), aim: null, terms, report: null, Cancellation));

        var (exit, error) = await PsqlAsync(left, await source.LiftScriptAsync(Cancellation));
        Assert.Equal(3, exit);
        Assert.Contains("was left for good (attempt a, number 2)", error, StringComparison.Ordinal);
        Assert.False(await IsWritableAsync(left));

        var open = await target.LiftScriptAsync(await source.ReadAsync(Cancellation), await source.ReadTermsAsync("a", Cancellation), Cancellation);
        Assert.Equal(FenceScript.Open((await source.ReadAsync(Cancellation))!, Migration, Tables, terms), open);

        // A server that came back without its last transactions is not opened, however the lanes are off where they were.
        foreach (var offset in new[] { 6, 8 })
        {
            await right.ExecuteAsync($"update cdc_migrator.progress set next_offset = {offset} where migration = 'it''s'");
            Assert.Contains("came back without its last transactions", (await PsqlAsync(right, open)).Error, StringComparison.Ordinal);
            Assert.False(await IsWritableAsync(right));
        }

        await right.ExecuteAsync("insert into cdc_migrator.fence values ('m''1', '')");
        Assert.Equal((0, ""), await PsqlAsync(right, open));
        Assert.True(await IsWritableAsync(right));
        // Its age is the database's clock's, some milliseconds by now.
        Assert.Equal(new FenceRecord(FenceState.Open, 2, "a", TimeSpan.Zero), (await target.ReadAsync(Cancellation))! with { Age = TimeSpan.Zero });
        Assert.Equal(["it's|2|t", "other|1|f"], await right.RowsAsync("select migration, epoch, frozen from cdc_migrator.progress order by 1"));
        Assert.Contains("open by this attempt already", (await PsqlAsync(right, open)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_denies_writes_on_an_open_side_is_taken_away_and_a_fence_is_removed_whatever_its_state()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var bare = new FencedSide(database.DataSource, Migration, Tables, "test", TimeProvider.System);
        Assert.Contains("has not prepared this side", (await PsqlAsync(database, await bare.LiftScriptAsync(Cancellation))).Error, StringComparison.Ordinal);
        Assert.Equal((0, ""), await PsqlAsync(database, FenceScript.Remove(Migration, Tables)));

        var side = await PrepareAsync(database, open: true);
        await database.ExecuteAsync("alter table parts enable trigger all");
        Assert.True(await IsWritableAsync(database));
        Assert.Equal((0, ""), await PsqlAsync(database, await side.LiftScriptAsync(Cancellation)));
        Assert.True(await IsWritableAsync(database));
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from pg_trigger where tgname like 'cdcm%' and tgenabled <> 'D'"));

        await side.CloseAsync("a", 2, Lease, Cancellation);
        Assert.True(await side.SealAsync("a", TimeSpan.FromSeconds(2), aim: null, Cancellation));
        Assert.Contains("cdcm cutover sql -f FILE --remove", (await PsqlAsync(database, await side.LiftScriptAsync(Cancellation))).Error, StringComparison.Ordinal);
        await database.ExecuteAsync("insert into cdc_migrator.progress (migration, topic, partition, next_offset, cluster_id, partition_count) values ('it''s', 't', 0, 7, 'c', 1), ('other', 't', 0, 7, 'c', 1)");
        Assert.Equal((0, ""), await PsqlAsync(database, FenceScript.Remove(Migration, Tables)));

        // Nothing that is started by mistake applies anything there any more.
        Assert.Equal(["it's|2|t", "other|1|f"], await database.RowsAsync("select migration, epoch, frozen from cdc_migrator.progress order by 1"));
        Assert.Equal(["fence-removed|sealed|a"], await database.RowsAsync("select event, evidence ->> 'state', evidence ->> 'token' from cdc_migrator.journal where event = 'fence-removed'"));
        Assert.True(await IsWritableAsync(database));
        Assert.Null(await side.ReadAsync(Cancellation));
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from pg_trigger where tgname like 'cdcm%'"));
    }

    private static async Task<FencedSide> PrepareAsync(TestDatabase database, bool open)
    {
        await ControlSchema.MigrateAsync(database.DataSource, Cancellation);
        var side = new FencedSide(database.DataSource, Migration, Tables, "test", TimeProvider.System);
        await (open ? side.PrepareOpenAsync(Cancellation) : side.PrepareSealedAsync(Cancellation));
        return side;
    }

    private static Task<(int Exit, string Error)> PsqlAsync(TestDatabase database, string script) => PsqlFile.RunAsync(database, script);

    private static async Task<bool> IsWritableAsync(TestDatabase side)
    {
        try
        {
            await side.ExecuteAsync("insert into parts values (1, 1); delete from p1; insert into \"Odd \"\"one\".\"Or'ders\" values (1); delete from \"Odd \"\"one\".\"Or'ders\"");
            return true;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            return false;
        }
    }
}

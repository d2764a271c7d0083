using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>A pause shuts every lane out, whoever owns it, and takes nothing from it.</summary>
public sealed class PauseTests(PostgresFixture postgres)
{
    private static readonly LaneId Lane = new("t", 0);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Owners_are_shut_out_claims_are_refused_and_all_goes_on_where_it_was()
    {
        await using var target = await CreateAsync();
        var pauses = new PauseStore(target.Database.DataSource, "test");
        var owner = await target.ClaimAsync();
        await owner.ApplyAsync(One(target, 0, "before"), Token);

        var pause = await pauses.PauseAsync("ann", "disk", Token);
        Assert.Equal(("ann", "disk"), (pause.By, pause.Reason));
        Assert.Equal(FaultKind.Fenced, (await Assert.ThrowsAsync<FaultException>(() => owner.ApplyAsync(One(target, 1, "zombie"), Token))).Fault.Kind);

        // A lane that had an owner, and one that never had.
        foreach (var partition in new[] { 0, 1 })
        {
            var refused = (await Assert.ThrowsAsync<FaultException>(() => target.ClaimAsync(partition))).Fault;
            Assert.Equal((FaultKind.NotAllowed, "lane-held"), (refused.Kind, refused.Code));
            Assert.Contains("paused by ann", refused.Message, StringComparison.Ordinal);
        }

        // Of two pauses the first one counts; markers pass.
        Assert.Equal(pause, await pauses.PauseAsync("bob", "other", Token));
        await target.Store.ClaimAsync(new LaneId("x.cdc_migrator.fence", 0), LaneTarget.Identity, 0, Token);

        Assert.Equal(pause, await pauses.ResumeAsync("bob", Token));
        Assert.Null(await pauses.ResumeAsync("bob", Token));
        var again = await target.ClaimAsync();
        Assert.Equal(1, again.NextOffset);
        await again.ApplyAsync(One(target, 1, "after"), Token);
        Assert.Equal(["0|before", "1|after"], await target.Database.RowsAsync("select id, name from items order by id"));
        Assert.Equal(["ann|paused|disk", "bob|resumed|disk"], await target.Database.RowsAsync("select actor, event, evidence ->> 'reason' from cdc_migrator.journal order by id"));
    }

    [Fact]
    public async Task A_batch_in_flight_is_waited_for_and_counts()
    {
        await using var target = await CreateAsync();
        var owner = await target.ClaimAsync();
        await using var connection = await target.Apply.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await ExecuteAsync(connection, $"select cdc_migrator.advance('test', 't', 0, {owner.Epoch}, 0, 5, '0/0', '0/0', 0); insert into public.items values (1, 'in flight')");

        var pausing = new PauseStore(target.Database.DataSource, "test").PauseAsync("ann", "disk", Token);
        await UntilBlockedAsync(target);
        Assert.False(pausing.IsCompleted);
        await transaction.CommitAsync(Token);
        await pausing;
        Assert.Equal(["5"], await target.Database.RowsAsync("select next_offset from cdc_migrator.progress"));
        Assert.Equal(["1|in flight"], await target.Database.RowsAsync("select id, name from items"));
    }

    /// <summary>A claim that has looked and has not committed: the pause waits for it, and then shuts it out.</summary>
    [Fact]
    public async Task A_claim_under_way_is_either_shut_out_or_refused()
    {
        await using var target = await CreateAsync();
        var pauses = new PauseStore(target.Database.DataSource, "test");
        var owner = await target.ClaimAsync();
        await using var connection = await target.Apply.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await ExecuteAsync(connection, $"select cdc_migrator.advance('test', 't', 0, {owner.Epoch}, 0, 5, '0/0', '0/0', 0)");
        await ExecuteAsync(connection, "insert into cdc_migrator.migration (name) values ('test') on conflict do nothing");
        var claiming = target.ClaimAsync();
        await UntilBlockedAsync(target);
        var pausing = pauses.PauseAsync("ann", "disk", Token);
        await transaction.CommitAsync(Token);
        await pausing;
        try
        {
            var claimed = await claiming;
            Assert.Equal(FaultKind.Fenced, (await Assert.ThrowsAsync<FaultException>(() => claimed.ApplyAsync(One(target, 5, "zombie"), Token))).Fault.Kind);
        }
        catch (FaultException exception)
        {
            Assert.Equal("lane-held", exception.Fault.Code);
        }

        Assert.Empty(await target.Database.RowsAsync("select * from items"));
    }

    [Theory]
    [InlineData("open", false)]
    [InlineData("closed", false)]
    [InlineData("sealed", true)]
    public async Task Where_nothing_is_applied_nothing_is_paused(string state, bool paused)
    {
        await using var target = await CreateAsync();
        await target.Database.ExecuteAsync($"insert into cdc_migrator.fence_state (migration, state, epoch) values ('test', '{state}', 1)");
        var pauses = new PauseStore(target.Database.DataSource, "test");
        if (!paused)
        {
            Assert.Equal("direction-closed", (await Assert.ThrowsAsync<FaultException>(() => pauses.PauseAsync("ann", "disk", Token))).Fault.Code);
        }
        else
        {
            await pauses.PauseAsync("ann", "disk", Token);
        }

        Assert.Equal(paused, await pauses.ReadAsync(Token) is not null);
    }

    private static Domain.Changes.ChangeBatch One(LaneTarget target, int offset, string name) =>
        new BatchBuilder(Lane, offset).Insert(target.Route("items"), ("id", $"{offset}"), ("name", name)).Build();

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    private static async Task UntilBlockedAsync(LaneTarget target)
    {
        while (await target.Database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        }
    }

    private async Task<LaneTarget> CreateAsync() => await LaneTarget.CreateAsync(await postgres.CreateTargetAsync("create table items(id int primary key, name text)"), ["public.items"]);
}

using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Who may write a lane (invariants A1, A2).</summary>
public sealed class ClaimTests(PostgresFixture postgres)
{
    private static readonly LaneId Lane = new("t", 0);

    [Fact]
    public async Task A_first_claim_starts_at_the_logs_start()
    {
        await using var target = await CreateAsync();
        var writer = await target.Store.ClaimAsync(Lane, LaneTarget.Identity, 17, CancellationToken.None);
        Assert.Equal((17L, 1L, SourcePosition.None), (writer.NextOffset, writer.Epoch, writer.HighestPosition));
    }

    [Fact]
    public async Task A_later_claim_goes_on_where_the_former_owner_stopped_and_shuts_it_out()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var old = await target.ClaimAsync();
        await old.ApplyAsync(new BatchBuilder(Lane).Insert(items, ("id", "1"), ("name", "a")).Build(), CancellationToken.None);

        var heir = await target.ClaimAsync();
        Assert.Equal((1L, 2L, new SourcePosition(1010, 1010, 0)), (heir.NextOffset, heir.Epoch, heir.HighestPosition));
        var fault = await Assert.ThrowsAsync<FaultException>(() => old.ApplyAsync(
            new BatchBuilder(Lane, 1).Insert(items, ("id", "2"), ("name", "zombie")).Build(), CancellationToken.None));
        Assert.Equal(FaultKind.Fenced, fault.Fault.Kind);
        Assert.Equal(["1|a"], await target.Database.RowsAsync("select id, name from items"));
    }

    [Fact]
    public async Task Where_lanes_were_taken_over_is_remembered_once_an_offset_and_only_so_many_times()
    {
        await using var target = await CreateAsync();
        for (var i = 0; i < 3; i++)
        {
            await target.ClaimAsync();
        }

        Assert.Equal("0", await OffsetsAsync());
        for (var i = 1; i <= ClaimLog.Kept + 5; i++)
        {
            await target.Database.ExecuteAsync($"update cdc_migrator.progress set next_offset = {i * 10}");
            await target.ClaimAsync();
        }

        Assert.Equal(string.Join(' ', Enumerable.Range(6, ClaimLog.Kept).Reverse().Select(i => i * 10)), await OffsetsAsync());
        Assert.Empty(await ClaimLog.ReadAsync(target.Database.DataSource, "test", "another log", CancellationToken.None));

        async Task<string> OffsetsAsync() => string.Join(' ', (await ClaimLog.ReadAsync(target.Database.DataSource, "test", LaneTarget.Identity.ClusterId, CancellationToken.None)).Select(claim => claim.NextOffset));
    }

    [Fact]
    public async Task A_fenced_writer_does_not_write_through_the_large_or_the_looked_at_path_either()
    {
        await using var target = await CreateAsync("insert into items select g from generate_series(1, 2000) g");
        var items = target.Route("items");
        var large = new BatchBuilder(Lane);
        for (var i = 1; i <= 2000; i++)
        {
            large.Update(items, ("id", $"{i}"), ("name", "zombie"));
        }

        foreach (var batch in new[] { large.Build(), new BatchBuilder(Lane).Update(items, ("id", "1"), ("name", "zombie"), ("big", BatchBuilder.Unavailable)).Build() })
        {
            var old = await target.ClaimAsync();
            _ = await target.ClaimAsync();
            var fault = await Assert.ThrowsAsync<FaultException>(() => old.ApplyAsync(batch, CancellationToken.None));
            Assert.Equal(FaultKind.Fenced, fault.Fault.Kind);
        }

        Assert.Equal(["0"], await target.Database.RowsAsync("select count(*) from items where name is not null"));
    }

    [Fact]
    public async Task Claim_waits_for_the_outcome_of_the_old_owners_transaction()
    {
        await using var target = await CreateAsync();
        var owner = await target.ClaimAsync();
        await using var connection = await target.Apply.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await AdvanceAsync(connection, owner, 0, 5);
        await ExecuteAsync(connection, "insert into public.items values (1, 'in flight')");

        var claim = target.ClaimAsync();
        await WaitUntilBlockedAsync(target);
        Assert.False(claim.IsCompleted);
        await transaction.CommitAsync();
        Assert.Equal(5, (await claim).NextOffset);
        Assert.Equal(["1|in flight"], await target.Database.RowsAsync("select id, name from items"));
    }

    [Fact]
    public async Task Claim_while_the_old_owner_is_paused_ends_its_session_and_shuts_it_out()
    {
        await using var target = await CreateAsync(options: new ApplySection { TakeoverTimeout = TimeSpan.FromMilliseconds(300) });
        var owner = await target.ClaimAsync();
        await using var paused = await target.Apply.OpenConnectionAsync();
        await using var transaction = await paused.BeginTransactionAsync();
        await AdvanceAsync(paused, owner, 0, 5);
        await ExecuteAsync(paused, "insert into public.items values (1, 'never committed')");

        var heir = await target.ClaimAsync();
        Assert.Equal(0, heir.NextOffset);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync());
        Assert.Empty(await target.Database.RowsAsync("select * from items"));
        await heir.ApplyAsync(new BatchBuilder(Lane).Insert(target.Route("items"), ("id", "2"), ("name", "heir")).Build(), CancellationToken.None);
    }

    [Theory]
    [InlineData("psql")]
    [InlineData("cdcm-truncate")]
    public async Task A_session_that_is_not_ours_or_truncates_is_waited_for_and_not_ended(string application)
    {
        await using var target = await CreateAsync(options: new ApplySection { TakeoverTimeout = TimeSpan.FromMilliseconds(50) });
        await target.ClaimAsync();
        await using var foreign = await target.Database.DataSource.OpenConnectionAsync();
        await ExecuteAsync(foreign, $"set application_name = '{application}'");
        await using var transaction = await foreign.BeginTransactionAsync();
        await ExecuteAsync(foreign, "update cdc_migrator.progress set updated_at = updated_at");
        var claim = target.ClaimAsync();
        Assert.NotSame(claim, await Task.WhenAny(claim, Task.Delay(TimeSpan.FromMilliseconds(400))));
        await transaction.CommitAsync();
        Assert.Equal(2, (await claim).Epoch);
    }

    [Fact]
    public async Task Of_claims_that_race_only_the_last_can_write()
    {
        await using var target = await CreateAsync();
        var writers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => target.ClaimAsync()));
        Assert.Equal(Enumerable.Range(1, 8).Select(i => (long)i), writers.Select(writer => writer.Epoch).Order());
        var outcomes = await Task.WhenAll(writers.Select(async writer =>
        {
            try
            {
                await writer.ApplyAsync(new BatchBuilder(Lane).Insert(target.Route("items"), ("id", $"{writer.Epoch}")).Build(), CancellationToken.None);
                return writer.Epoch;
            }
            catch (FaultException fault) when (fault.Fault.Kind == FaultKind.Fenced)
            {
                return 0;
            }
        }));
        Assert.Equal([8], outcomes.Where(epoch => epoch > 0));
        Assert.Equal(["8"], await target.Database.RowsAsync("select id from items"));
    }

    [Theory]
    [InlineData("other", "topic", 4, "another-cluster")]
    [InlineData("cluster", "recreated", 4, "another-topic")]
    [InlineData("cluster", "topic", 8, "partition-count")]
    public async Task Another_log_than_the_recorded_one_is_refused(string cluster, string topic, int partitions, string code)
    {
        await using var target = await CreateAsync();
        await target.ClaimAsync();
        var fault = await Assert.ThrowsAsync<FaultException>(() =>
            target.Store.ClaimAsync(Lane, new LogIdentity(cluster, topic, partitions), 0, CancellationToken.None));
        Assert.Equal((FaultKind.LogBroken, code), (fault.Fault.Kind, fault.Fault.Code));
        Assert.Equal(2, (await target.ClaimAsync()).Epoch);
    }

    [Fact]
    public async Task A_log_that_no_longer_has_the_next_record_is_refused()
    {
        await using var target = await CreateAsync();
        await target.ClaimAsync();
        var fault = await Assert.ThrowsAsync<FaultException>(() => target.Store.ClaimAsync(Lane, LaneTarget.Identity, 3, CancellationToken.None));
        Assert.Equal("offsets-gone", fault.Fault.Code);
    }

    [Fact]
    public async Task A_new_life_of_an_ephemeral_log_starts_over_and_keeps_the_position()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var first = await target.Store.ClaimAsync(Lane, new LogIdentity("life-1", "", 4) { Ephemeral = true }, 0, CancellationToken.None);
        await first.ApplyAsync(new BatchBuilder(Lane).Insert(items, ("id", "1"), ("name", "a")).Update(items, ("id", "1"), ("name", "b")).Build(), CancellationToken.None);

        var second = await target.Store.ClaimAsync(Lane, new LogIdentity("life-2", "", 4) { Ephemeral = true }, 0, CancellationToken.None);
        Assert.Equal((0L, new SourcePosition(1020, 1020, 0)), (second.NextOffset, second.HighestPosition));
        var counts = await second.ApplyAsync(new BatchBuilder(Lane).Insert(items, ("id", "1"), ("name", "a")).Build(), CancellationToken.None);
        Assert.Equal(1, counts.Replays);
        Assert.Equal(["1|b"], await target.Database.RowsAsync("select id, name from items"));
        Assert.Equal("life-2", (await target.Store.ReadProgressAsync(CancellationToken.None)).Single().ClusterId);
    }

    [Fact]
    public async Task A_frozen_lane_can_be_neither_claimed_nor_written()
    {
        await using var target = await CreateAsync();
        var owner = await target.ClaimAsync();
        await ProgressTable.SetFrozenAsync(target.Database.DataSource, "test", true, CancellationToken.None);
        var write = await Assert.ThrowsAsync<FaultException>(() => owner.ApplyAsync(
            new BatchBuilder(Lane).Insert(target.Route("items"), ("id", "1")).Build(), CancellationToken.None));
        var claim = await Assert.ThrowsAsync<FaultException>(() => target.ClaimAsync());
        Assert.Equal(("lane-frozen", "lane-frozen", FaultKind.NotAllowed), (write.Fault.Code, claim.Fault.Code, claim.Fault.Kind));
        Assert.Empty(await target.Database.RowsAsync("select * from items"));
        await ProgressTable.SetFrozenAsync(target.Database.DataSource, "test", false, CancellationToken.None);
        await target.ClaimAsync();
    }

    [Fact]
    public async Task A_writer_is_ended_by_any_fault_and_refuses_a_batch_that_does_not_follow()
    {
        await using var target = await CreateAsync();
        var writer = await target.ClaimAsync();
        var fault = await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(new BatchBuilder(Lane, 3).Nothing().Build(), CancellationToken.None));
        Assert.Equal("writer-misused", fault.Fault.Code);
        await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(new BatchBuilder(Lane).Insert(target.Route("items"), ("id", "x")).Build(), CancellationToken.None));
        await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(new BatchBuilder(Lane).Nothing().Build(), CancellationToken.None));
    }

    private static async Task AdvanceAsync(NpgsqlConnection connection, ILaneWriter owner, long from, long to) =>
        await ExecuteAsync(connection, $"select cdc_migrator.advance('test', 't', 0, {owner.Epoch}, {from}, {to}, '0/0', '0/0', 0)");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task WaitUntilBlockedAsync(LaneTarget target)
    {
        while (await target.Database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    private async Task<LaneTarget> CreateAsync(string rows = "", ApplySection? options = null) => await LaneTarget.CreateAsync(
        await postgres.CreateTargetAsync($"create table items(id int primary key, name text, big text); {rows}"), ["public.items"], options: options);
}

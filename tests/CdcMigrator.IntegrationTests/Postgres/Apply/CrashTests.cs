using System.Globalization;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>What a lane learns, and what the target holds, when something breaks on the way.</summary>
public sealed class CrashTests(PostgresFixture postgres)
{
    private static readonly LaneId Lane = new("t", 0);

    [Theory]
    [InlineData("before insert on items", false)]
    [InlineData("after update on cdc_migrator.progress", false)]
    [InlineData("deferred after insert on items", false)]
    public async Task A_session_killed_at_any_write_leaves_all_or_nothing(string when, bool applied)
    {
        // Killed from inside: in the statement, behind the progress row, and during COMMIT.
        await using var target = await CreateAsync();
        await target.Database.ExecuteAsync($"""
            create function die() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return new; end';
            create {(when.StartsWith("deferred", StringComparison.Ordinal) ? "constraint " : "")}trigger die {when.Replace("deferred ", "", StringComparison.Ordinal)}
                {(when.StartsWith("deferred", StringComparison.Ordinal) ? "deferrable initially deferred" : "")} for each row execute function die();
            alter table {when[(when.LastIndexOf(' ') + 1)..]} enable always trigger die
            """);
        var writer = when.Contains("progress", StringComparison.Ordinal) ? await BeforeTriggerAsync(target) : await target.ClaimAsync();
        var batch = new BatchBuilder(Lane).Insert(target.Route("items"), ("id", "1"), ("v", "a")).Build();
        var fault = await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(batch, CancellationToken.None));
        Assert.Contains(fault.Fault.Kind, new[] { FaultKind.Transient, FaultKind.Unreachable });
        Assert.Equal(Lane, fault.Fault.Lane);

        await target.Database.ExecuteAsync("drop function die cascade");
        writer = await target.ClaimAsync();
        Assert.Equal(applied ? 1 : 0, writer.NextOffset);
        Assert.Equal(applied ? 1L : 0L, await target.Database.ScalarAsync<long>("select count(*) from items"));
        await writer.ApplyAsync(batch, CancellationToken.None);
        Assert.Equal(["1|a"], await target.Database.RowsAsync("select * from items"));
    }

    [Theory]
    [InlineData(1, "")]
    [InlineData(600, "COMMIT\0")]
    public async Task A_commit_whose_answer_is_lost_is_found_out_by_the_next_claim(int rows, string lostFrom)
    {
        // Few rows go with their commit in one round trip, many by COPY and a COMMIT of its own.
        await using var target = await CreateAsync();
        await using var relay = new LostAnswers(target.Database.ConnectionString);
        await using var apply = PostgresConnections.CreateApply(relay.ConnectionString);
        await using var store = new PostgresLaneStore(
            apply, "test", new ApplySection(), null, new PostgresMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), TimeProvider.System, NullLogger.Instance);
        var writer = await store.ClaimAsync(Lane, LaneTarget.Identity, 0, TestContext.Current.CancellationToken);
        await writer.ApplyAsync(Rows(0, 1), TestContext.Current.CancellationToken);

        relay.LoseFrom(lostFrom);
        var batch = Rows(1, rows);
        var applying = writer.ApplyAsync(batch, TestContext.Current.CancellationToken);
        while (!applying.IsCompleted && await target.Database.ScalarAsync<long>("select count(*) from items") <= rows)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.False(applying.IsCompleted);
        relay.Cut();
        Assert.Contains((await Assert.ThrowsAsync<FaultException>(() => applying)).Fault.Kind, new[] { FaultKind.Transient, FaultKind.Unreachable });

        // The lane does not know; the target does. Neither the writer nor its batch can be used again.
        Assert.Equal("writer-misused", (await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(batch, TestContext.Current.CancellationToken))).Fault.Code);
        var next = await store.ClaimAsync(Lane, LaneTarget.Identity, 0, TestContext.Current.CancellationToken);
        Assert.Equal(rows + 1, next.NextOffset);
        Assert.Equal(batch.Changes[^1].Position, next.HighestPosition);
        Assert.Equal(rows + 1, await target.Database.ScalarAsync<long>("select count(*) from items"));

        ChangeBatch Rows(int from, int count)
        {
            var batch = new BatchBuilder(Lane, from);
            for (var id = from; id < from + count; id++)
            {
                batch.Insert(target.Route("items"), ("id", id.ToString(CultureInfo.InvariantCulture)), ("v", "a"));
            }

            return batch.Build();
        }
    }

    [Fact]
    public async Task A_target_that_turns_read_only_is_unreachable_until_it_is_not()
    {
        await using var target = await CreateAsync();
        var writer = await target.ClaimAsync();
        var database = await target.Database.ScalarAsync<string>("select current_database()::text");
        await target.Database.ExecuteAsync($"alter database {database} set default_transaction_read_only = on");
        await target.Store.DisposeAsync();
        var fault = await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(
            new BatchBuilder(Lane).Insert(target.Route("items"), ("id", "1")).Build(), CancellationToken.None));
        Assert.Equal((FaultKind.Unreachable, "read-only"), (fault.Fault.Kind, fault.Fault.Code));
        var claim = await Assert.ThrowsAsync<FaultException>(() => target.ClaimAsync());
        Assert.Equal("read-only", claim.Fault.Code);
    }

    [Fact]
    public async Task A_table_dropped_under_the_lane_is_named_and_nothing_is_lost()
    {
        await using var target = await CreateAsync();
        var writer = await target.ClaimAsync();
        await target.Database.ExecuteAsync("alter table items rename to away");
        var batch = new BatchBuilder(Lane).Insert(target.Route("items"), ("id", "1"), ("v", "a")).Build();
        var fault = await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(batch, CancellationToken.None));
        Assert.Equal(FaultKind.Configuration, fault.Fault.Kind);
        await target.Database.ExecuteAsync("alter table away rename to items");
        await (await target.ClaimAsync()).ApplyAsync(batch, CancellationToken.None);
        Assert.Equal(["1|a"], await target.Database.RowsAsync("select * from items"));
    }

    [Fact]
    public async Task Sessions_pin_what_text_means_whatever_the_server_was_told()
    {
        await using var database = await postgres.CreateTargetAsync();
        var name = await database.ScalarAsync<string>("select current_database()::text");
        await database.ExecuteAsync($"""
            alter database {name} set datestyle = 'German'; alter database {name} set intervalstyle = 'sql_standard'; alter database {name} set timezone = 'Asia/Tokyo';
            alter database {name} set extra_float_digits = -5; alter database {name} set bytea_output = 'escape'; alter database {name} set search_path = 'public';
            alter database {name} set synchronous_commit = off
            """);
        foreach (var source in new[] { PostgresConnections.CreateApply(database.ConnectionString), PostgresConnections.CreateSourceRead(database.ConnectionString), PostgresConnections.CreateControl(database.ConnectionString) })
        {
            await using (source)
            {
                await using var command = source.CreateCommand("""
                    select concat_ws(' ', date '2024-02-01', interval '1 day 2 hours', timestamptz '2024-01-01 00:00+00', 0.1::float8 + 0.2, bytea '\x00', quote_literal(current_setting('search_path')))
                    """);
                Assert.Equal(@"2024-02-01 1 day 02:00:00 2024-01-01 00:00:00+00 0.30000000000000004 \x00 '""""'", await command.ExecuteScalarAsync());
            }
        }

        await using var apply = PostgresConnections.CreateApply(database.ConnectionString);
        await using var role = apply.CreateCommand("select current_setting('session_replication_role') || ' ' || current_setting('synchronous_commit')");
        Assert.Equal("replica on", await role.ExecuteScalarAsync());
    }

    private static async Task<CdcMigrator.Domain.Applying.ILaneWriter> BeforeTriggerAsync(LaneTarget target)
    {
        await target.Database.ExecuteAsync("alter table cdc_migrator.progress disable trigger die");
        var writer = await target.ClaimAsync();
        await target.Database.ExecuteAsync("alter table cdc_migrator.progress enable always trigger die");
        return writer;
    }

    private async Task<LaneTarget> CreateAsync() =>
        await LaneTarget.CreateAsync(await postgres.CreateTargetAsync("create table items(id int primary key, v text)"), ["public.items"]);
}

using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>Maintenance that began behind a close keeps no side from taking writes again, and what that leaves behind lets no write past the next fence.</summary>
public sealed class LockedTablesTests(PostgresFixture postgres)
{
    private static readonly TableName[] Tables = [new("public", "orders")];
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_undo_needs_no_tables_lock_and_the_triggers_are_disabled_once_it_is_free()
    {
        await using var pair = await PairAsync();
        var tidying = new FenceTidying(pair.Source, TimeProvider.System, NullLogger.Instance);
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await using (await MaintainAsync(pair.Left))
        {
            Assert.True(await pair.Source.UndoAsync("a", onlyForsaken: false, Cancellation));
            Assert.Equal((true, false), await pair.WritableAsync());
            Assert.Equal(1, await EnabledAsync(pair.Left));
            Assert.Equal(SourceFence.Locked, (await Assert.ThrowsAsync<FaultException>(() => tidying.TurnAsync(Cancellation))).Fault.Code);
            Assert.Contains("fence-lifting", (await pair.Source.CheckAsync("source", Cancellation)).Select(finding => finding.Code));
            Assert.Equal((true, false), await pair.WritableAsync());
        }

        Assert.True(await tidying.TurnAsync(Cancellation));
        Assert.False(await tidying.TurnAsync(Cancellation));
        Assert.Equal(0, await EnabledAsync(pair.Left));
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Fact]
    public async Task A_side_is_opened_though_its_tables_are_locked_and_the_triggers_of_one_that_is_closed_stay()
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        Assert.False(await new FenceTidying(pair.Source, TimeProvider.System, NullLogger.Instance).TurnAsync(Cancellation));
        Assert.False(await pair.Source.Fence.TidyAsync(Cancellation));
        Assert.True(await pair.Source.SealAsync("a", Margin, aim: null, Cancellation));
        await using (await MaintainAsync(pair.Right))
        {
            Assert.True(await pair.Target.OpenAsync("a", 2, Cancellation));
            Assert.Equal((false, true), await pair.WritableAsync());
        }

        await pair.SwitchAsync(pair.Target, pair.Source, "back", 3);
        Assert.Equal((true, false), await pair.WritableAsync());
    }

    [Theory]
    [InlineData("repeatable read")]
    [InlineData("serializable")]
    public async Task A_transaction_that_saw_the_row_open_does_not_write_behind_the_close(string isolation)
    {
        await using var pair = await PairAsync();
        await LeaveEnabledAsync(pair);
        await using var connection = await pair.Left.DataSource.OpenConnectionAsync(Cancellation);
        await RunAsync(connection, $"begin isolation level {isolation}; select count(*) from orders");
        await pair.Source.CloseAsync("b", 3, Lease, Cancellation);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, "insert into orders values (7, 'late')"));
        Assert.Contains(refused.SqlState, new[] { PostgresErrorCodes.SerializationFailure, PostgresErrorCodes.ReadOnlySqlTransaction });
        await RunAsync(connection, "rollback");
        Assert.True(await pair.Source.SealAsync("b", Margin, aim: null, Cancellation));
        Assert.Equal(0, await pair.Left.ScalarAsync<long>("select count(*) from orders where id = 7"));
    }

    [Fact]
    public async Task A_transaction_that_saw_only_another_migrations_row_open_does_not_write_behind_the_close_of_one_that_came_since()
    {
        await using var pair = await PairAsync();
        await using var connection = await pair.Left.DataSource.OpenConnectionAsync(Cancellation);
        await RunAsync(connection, "begin isolation level repeatable read; select count(*) from orders");
        var later = new FencedSide(pair.Left.DataSource, "later", Tables, "test", TimeProvider.System);
        await later.PrepareOpenAsync(Cancellation);
        await later.CloseAsync("a", 2, Lease, Cancellation);
        await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, "insert into orders values (7, 'late')"));
    }

    [Fact]
    public async Task A_close_gets_past_writers_of_a_side_whose_triggers_stayed_enabled_and_no_write_comes_behind_it()
    {
        await using var pair = await PairAsync();
        await LeaveEnabledAsync(pair);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var acknowledged = 0;
        var writers = Enumerable.Range(100, 8).Select(id => Task.Run(
            async () =>
            {
                await using var connection = await pair.Left.DataSource.OpenConnectionAsync(Cancellation);
                while (!over.IsCancellationRequested)
                {
                    try
                    {
                        await RunAsync(connection, $"insert into orders values ({id}, 'x') on conflict (id) do update set v = orders.v || 'x'");
                        Interlocked.Increment(ref acknowledged);
                    }
                    catch (PostgresException)
                    {
                        // Denied, or given way to the close.
                    }
                }
            },
            Cancellation)).ToList();
        while (Volatile.Read(ref acknowledged) < 200)
        {
            await Task.Delay(10, Cancellation);
        }

        await pair.Source.CloseAsync("b", 3, Lease, Cancellation);
        var written = await pair.Left.ScalarAsync<long>("select sum(length(v)) from orders where id >= 100");
        await pair.Source.RenewAsync("b", Lease, Cancellation);
        Assert.True(await pair.Source.SealAsync("b", Margin, aim: null, Cancellation));
        await over.CancelAsync();
        await Task.WhenAll(writers);
        Assert.Equal(written, await pair.Left.ScalarAsync<long>("select sum(length(v)) from orders where id >= 100"));
        Assert.Equal(written, acknowledged);
    }

    [Fact]
    public async Task Where_the_triggers_do_not_look_at_the_row_or_another_migration_holds_the_side_an_undo_waits_for_the_lock()
    {
        await using var pair = await PairAsync();
        var side = new FencedSide(pair.Left.DataSource, "m", Tables, "test", TimeProvider.System)
        {
            Fence = new SourceFence(pair.Left.DataSource, Tables, TimeProvider.System) { Deadline = TimeSpan.Zero },
        };
        await pair.Left.ExecuteAsync("insert into cdc_migrator.fence_state (migration, state, epoch) values ('other', 'sealed', 0)");
        await UndoInVainAsync("a", 2);
        await pair.Left.ExecuteAsync("delete from cdc_migrator.fence_state where migration = 'other'");
        await pair.Left.ExecuteAsync("create or replace function cdc_migrator.deny_write() returns trigger language plpgsql as 'begin raise sqlstate ''25006''; end'");
        await UndoInVainAsync("b", 3);

        async Task UndoInVainAsync(string token, long epoch)
        {
            await side.CloseAsync(token, epoch, Lease, Cancellation);
            await using (await MaintainAsync(pair.Left))
            {
                Assert.Equal(SourceFence.Locked, (await Assert.ThrowsAsync<FaultException>(() => side.UndoAsync(token, onlyForsaken: false, Cancellation))).Fault.Code);
                Assert.Equal((false, false), await pair.WritableAsync());
            }

            Assert.True(await side.UndoAsync(token, onlyForsaken: false, Cancellation));
            Assert.Equal((true, false), await pair.WritableAsync());
        }
    }

    [Fact]
    public async Task Psql_alone_opens_a_side_whose_tables_are_locked()
    {
        await using var pair = await PairAsync();
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await using (await MaintainAsync(pair.Left))
        {
            Assert.Equal(0, (await PsqlFile.RunAsync(pair.Left, await pair.Source.LiftScriptAsync(Cancellation))).Exit);
            Assert.Equal((true, false), await pair.WritableAsync());
        }
    }

    private static async Task LeaveEnabledAsync(FencedPair pair)
    {
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await using var maintenance = await MaintainAsync(pair.Left);
        Assert.True(await pair.Source.UndoAsync("a", onlyForsaken: false, Cancellation));
        Assert.Equal(1, await EnabledAsync(pair.Left));
    }

    /// <summary>Holds what VACUUM and CREATE INDEX CONCURRENTLY hold.</summary>
    private static async Task<NpgsqlConnection> MaintainAsync(TestDatabase side)
    {
        var connection = await side.DataSource.OpenConnectionAsync(Cancellation);
        await RunAsync(connection, "begin; lock table orders in share update exclusive mode");
        return connection;
    }

    private static Task<long> EnabledAsync(TestDatabase side) => side.ScalarAsync<long>("select count(*) from pg_trigger where tgname like 'cdcm%' and tgenabled <> 'D'");

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private Task<FencedPair> PairAsync() => FencedPair.CreateAsync(postgres, Lease);
}

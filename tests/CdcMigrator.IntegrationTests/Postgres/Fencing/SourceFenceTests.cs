using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

public sealed class SourceFenceTests(PostgresFixture postgres)
{
    private const string Schema = """
        create table orders(id int primary key, v text);
        create table parts(id int, d date, primary key (id, d)) partition by range (d);
        create table parts_2024 partition of parts for values from ('2024-01-01') to ('2025-01-01');
        """;

    private static readonly TableName[] Tables = [new("public", "orders"), new("public", "parts")];

    [Fact]
    public async Task A_closed_side_denies_superusers_and_named_partitions_and_opens_again()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System);
        await fence.PrepareAsync(TestContext.Current.CancellationToken);
        await database.ExecuteAsync("insert into orders values (1, 'before')");

        var marker = await fence.CloseAsync(TestContext.Current.CancellationToken);

        foreach (var write in new[]
        {
            "insert into orders values (2, 'after')", "update orders set v = 'x'", "delete from orders", "truncate orders",
            "insert into parts values (1, '2024-05-05')", "insert into parts_2024 values (1, '2024-05-05')",
        })
        {
            var denied = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(write));
            Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, denied.SqlState);
        }

        Assert.Equal(1, await database.ScalarAsync<long>($"select count(*) from cdc_migrator.fence where id = '{marker.Id}'"));
        await fence.LiftAsync(TestContext.Current.CancellationToken);
        await database.ExecuteAsync("insert into orders values (2, 'open again'); insert into parts_2024 values (1, '2024-05-05')");
    }

    [Fact]
    public async Task Of_sessions_in_the_replica_role_only_an_applier_passes_the_closed_fence()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System);
        await fence.PrepareAsync(TestContext.Current.CancellationToken);
        await fence.CloseAsync(TestContext.Current.CancellationToken);

        var denied = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("set session_replication_role = replica; insert into orders values (6, 'an application')"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, denied.SqlState);
        await using var apply = PostgresConnections.CreateApply(database.ConnectionString);
        await using (var batch = apply.CreateCommand("insert into public.orders values (7, 'applied'); insert into public.parts values (7, '2024-05-05'); insert into public.parts_2024 values (8, '2024-05-05'); update public.parts set id = id + 10"))
        {
            await batch.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(["7|applied"], await database.RowsAsync("select * from orders"));
        Assert.Equal(2, await database.ScalarAsync<long>("select count(*) from parts"));
    }

    [Fact]
    public async Task Maintenance_of_a_table_is_waited_for_while_writers_go_on()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System) { Deadline = TimeSpan.FromMinutes(5) };
        await fence.PrepareAsync(TestContext.Current.CancellationToken);
        await using var vacuum = await database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await vacuum.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await new NpgsqlCommand("lock table parts in share update exclusive mode", vacuum).ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var closing = fence.CloseAsync(TestContext.Current.CancellationToken);
        while (await database.ScalarAsync<long>("select count(*) from pg_locks where not granted and mode = 'ShareUpdateExclusiveLock'") == 0)
        {
            Assert.False(closing.IsCompleted, "the fence closed over maintenance");
        }

        await database.ExecuteAsync("set lock_timeout = '1ms'; insert into orders values (1, 'meanwhile'); insert into parts values (1, '2024-05-05')");
        Assert.False(closing.IsCompleted);
        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        await closing;
        await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("insert into orders values (2, 'behind')"));
    }

    [Fact]
    public async Task A_writer_in_flight_is_waited_for_and_lies_below_the_marker()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System) { LockTimeout = TimeSpan.FromSeconds(30) };
        await fence.PrepareAsync(TestContext.Current.CancellationToken);
        await using var writer = await database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await writer.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await new NpgsqlCommand("insert into orders values (1, 'in flight')", writer).ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var closing = fence.CloseAsync(TestContext.Current.CancellationToken);
        while (await database.ScalarAsync<long>("select count(*) from pg_locks where not granted and mode = 'ShareRowExclusiveLock'") == 0)
        {
            Assert.False(closing.IsCompleted, "the fence closed over a writer in flight");
        }

        var written = await database.ScalarAsync<long>("select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint");
        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        var marker = await closing;

        Assert.Equal(1, await database.ScalarAsync<long>("select count(*) from orders"));
        Assert.True(marker.Lsn > (ulong)written, "the marker lies before the writer it waited for");
    }

    [Fact]
    public async Task A_transaction_that_stays_open_is_named_and_nothing_is_changed()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System)
        {
            LockTimeout = TimeSpan.FromMilliseconds(20),
            Deadline = TimeSpan.FromMilliseconds(200),
        };
        await fence.PrepareAsync(TestContext.Current.CancellationToken);
        await using var writer = await database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await writer.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await new NpgsqlCommand("set application_name = 'stubborn'; insert into orders values (1, 'open')", writer).ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var fault = await Assert.ThrowsAsync<FaultException>(() => fence.CloseAsync(TestContext.Current.CancellationToken));

        Assert.Equal("fence-locked", fault.Fault.Code);
        Assert.Contains($"public.orders is locked by pid {writer.ProcessID} (stubborn, role postgres, idle in transaction, transaction since 2", fault.Message.Replace(" orders is", " public.orders is", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains($"select pg_terminate_backend({writer.ProcessID})", fault.Fault.Fix, StringComparison.Ordinal);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        await database.ExecuteAsync("insert into orders values (2, 'still open')");
    }

    [Fact]
    public async Task A_prepared_transaction_holds_the_fence_back()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System)
        {
            LockTimeout = TimeSpan.FromMilliseconds(20),
            Deadline = TimeSpan.FromMilliseconds(100),
        };
        await fence.PrepareAsync(TestContext.Current.CancellationToken);
        var id = $"p{Guid.NewGuid():N}";
        await database.ExecuteAsync($"begin; insert into orders values (1, 'prepared'); prepare transaction '{id}'");

        var fault = await Assert.ThrowsAsync<FaultException>(() => fence.CloseAsync(TestContext.Current.CancellationToken));

        Assert.Contains($"orders is locked by a prepared transaction '{id}' of postgres", fault.Message, StringComparison.Ordinal);
        Assert.StartsWith($"COMMIT PREPARED '{id}'", fault.Fault.Fix, StringComparison.Ordinal);
        await database.ExecuteAsync($"commit prepared '{id}'");
        await fence.CloseAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, await database.ScalarAsync<long>("select count(*) from orders"));
    }

    [Fact]
    public async Task Preparing_twice_and_dropping_twice_is_harmless()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System);
        await fence.PrepareAsync(TestContext.Current.CancellationToken);
        await fence.PrepareAsync(TestContext.Current.CancellationToken);
        await database.ExecuteAsync("insert into orders values (1, 'prepared fences deny nothing')");
        await fence.DropAsync(TestContext.Current.CancellationToken);
        await fence.DropAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from pg_trigger where tgname like 'cdcm\\_fence%'"));
    }
}

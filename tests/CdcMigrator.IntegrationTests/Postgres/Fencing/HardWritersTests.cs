using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>Whoever writes in whatever way, on the oldest and the newest server: nothing gets past a closed fence.</summary>
public sealed class HardWritersTests(PostgresFixture postgres)
{
    private const string Schema = """
        create table customers(id int primary key);
        create table orders(id int primary key, v text, customer int references customers on delete cascade);
        create view order_view as select * from orders;
        create table inbox(v text); create rule inbox_rule as on insert to inbox do instead insert into orders values (77, new.v);
        create table outbox(v text);
        create function copy_out() returns trigger language plpgsql as $$ begin insert into orders values (78, new.v); return null; end $$;
        create trigger copy_out after insert on outbox for each row execute function copy_out();
        create materialized view order_count as select count(*) from orders;
        create function definer() returns void language sql security definer as $$ insert into orders values (79, 'definer') $$;
        create function as_replica() returns void language sql set session_replication_role = replica as $$ insert into orders values (80, 'replica') $$;
        create table parts(id int, d int, primary key (id, d)) partition by range (d);
        create table p1 partition of parts for values from (0) to (10) partition by range (d);
        create table p1a partition of p1 for values from (0) to (5);
        create table everything(id int, d int, primary key (id, d)) partition by range (d);
        create table moved partition of everything for values from (0) to (10);
        create table family(id int); create table child(primary key (id)) inherits (family);
        insert into customers values (1); insert into orders values (1, 'first', 1); insert into p1a values (1, 1); insert into moved values (1, 1); insert into child values (1);
        """;

    private static readonly TableName[] Tables = [new("public", "orders"), new("public", "parts"), new("public", "moved"), new("public", "child")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_kind_of_statement_is_denied_whoever_runs_it(bool newest)
    {
        await using var database = await CreateAsync(newest);
        await using var roles = await Roles.CreateAsync(database, "create role {0}_bypass bypassrls; create role {0}_super superuser; create role {0}_app; create role {0}_owner; alter table orders owner to {0}_owner; grant all on all tables in schema public to {0}_bypass, {0}_app; alter table orders enable row level security;");
        var name = roles.Prefix;
        await using var planned = await database.DataSource.OpenConnectionAsync(Cancellation);
        await using var prepared = new NpgsqlCommand("insert into orders values ($1, 'planned long ago')", planned) { Parameters = { new() { Value = 60 } } };
        await prepared.PrepareAsync(Cancellation);
        await ClosedAsync(database);
        var before = await StateAsync(database);

        foreach (var write in new[]
        {
            "insert into orders values (2, 'x')", "insert into orders select 2, 'x' where false", "update orders set v = 'x' where id = 1", "delete from orders", "truncate orders", "truncate customers cascade",
            "insert into orders values (1, 'x') on conflict (id) do update set v = 'x'", "insert into orders values (1, 'x') on conflict do nothing",
            "merge into orders o using (values (1)) as s(id) on o.id = s.id when matched then update set v = 'x'", "merge into orders o using (values (9)) as s(id) on o.id = s.id when not matched then insert values (9, 'x')",
            "copy orders (id) from program 'echo 50'", "insert into order_view values (3, 'x')", "update order_view set v = 'x'", "insert into inbox values ('x')", "insert into outbox values ('x')",
            "with gone as (delete from orders returning id) select count(*) from gone", "begin; declare c cursor for select * from orders for update; fetch c; update orders set v = 'x' where current of c",
            "delete from customers where id = 1", "select definer()", "select as_replica()", "do $$ begin execute 'update orders set v = 1'; end $$",
            $"set role {name}_owner; update orders set v = 'x'", $"set role {name}_super; update orders set v = 'x'", $"set role {name}_bypass; update orders set v = 'x'", $"set role {name}_app; update orders set v = 'x'", $"set role {name}_app; select definer()",
            "set session_replication_role = replica; update orders set v = 'x'", "set session_replication_role = local; update orders set v = 'x'",
            "insert into parts values (2, 2)", "insert into p1 values (2, 2)", "insert into p1a values (2, 2)", "copy p1 from program 'printf \"2\\t2\\n\"'", "update parts set id = 5", "delete from p1", "truncate p1", "truncate parts",
            "insert into everything values (2, 2)", "update everything set id = 5", "delete from everything", "truncate everything", "merge into everything e using (values (1)) as s(id) on e.id = s.id when matched then delete",
            "update family set id = 5", "delete from family", "truncate family", "insert into child values (2)", "set session_replication_role = replica; update everything set id = 5",
        })
        {
            var denied = await Record.ExceptionAsync(() => database.ExecuteAsync(write));
            Assert.True(denied is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }, $"{write}: {denied?.Message ?? "went through"}");
        }

        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, (await Assert.ThrowsAsync<PostgresException>(() => prepared.ExecuteNonQueryAsync(Cancellation))).SqlState);
        Assert.Equal(before, await StateAsync(database));

        // What concerns no table of the migration goes on.
        await database.ExecuteAsync("refresh materialized view order_count; begin; create temp table orders(id int) on commit drop; insert into orders values (1); commit; insert into customers values (2); insert into everything select 3, 3 where false and false");
        Assert.Equal(before, await StateAsync(database));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Partitions_that_come_while_it_is_closed_are_closed_too_and_open_with_the_others(bool newest)
    {
        await using var database = await CreateAsync(newest);
        var fence = await ClosedAsync(database);
        await database.ExecuteAsync("""
            create table p2 partition of parts for values from (10) to (20);
            create table p1b partition of p1 for values from (5) to (10);
            create table p3(id int, d int, primary key (id, d)); alter table parts attach partition p3 for values from (20) to (30);
            """);

        foreach (var write in new[] { "insert into p2 values (1, 11)", "insert into p1b values (1, 6)", "insert into p3 values (1, 21)", "copy p2 from program 'printf \"2\\t12\\n\"'" })
        {
            var denied = await Record.ExceptionAsync(() => database.ExecuteAsync(write));
            Assert.True(denied is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }, $"{write}: {denied?.Message ?? "went through"}");
        }

        await fence.LiftAsync(Cancellation);
        await database.ExecuteAsync("insert into parts values (1, 6), (1, 11), (1, 21); insert into p2 values (2, 12); insert into p1b values (2, 7); insert into p3 values (2, 22); insert into moved values (2, 2); insert into everything values (3, 3); insert into child values (2); update family set id = id + 5");
        await fence.CloseAsync(Cancellation);
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("truncate p3"))).SqlState);
        await fence.DropAsync(Cancellation);
        await database.ExecuteAsync("insert into p3 values (3, 23); insert into p1b values (3, 7)");
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from pg_trigger g join pg_proc p on p.oid = g.tgfoid where p.proname = 'deny_write'"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_trigger_that_writes_at_commit_is_denied_with_its_whole_transaction(bool newest)
    {
        await using var database = await CreateAsync(newest);
        await database.ExecuteAsync("""
            create table ledger(v text);
            create function late() returns trigger language plpgsql as $$ begin insert into orders values (81, new.v); return null; end $$;
            create constraint trigger late after insert on ledger deferrable initially deferred for each row execute function late();
            """);
        await using var writer = await database.DataSource.OpenConnectionAsync(Cancellation);
        await using var transaction = await writer.BeginTransactionAsync(Cancellation);
        await new NpgsqlCommand("insert into ledger values ('before the fence')", writer).ExecuteNonQueryAsync(Cancellation);

        await ClosedAsync(database);

        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, (await Assert.ThrowsAsync<PostgresException>(() => transaction.CommitAsync(Cancellation))).SqlState);
        Assert.Equal(0, await database.ScalarAsync<long>("select (select count(*) from ledger) + (select count(*) from orders where id = 81)"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_servers_write_by_a_foreign_table_is_denied(bool newest)
    {
        await using var database = await CreateAsync(newest);
        var server = newest ? postgres.Target : postgres.Source;
        await database.ExecuteAsync($"""
            create extension postgres_fdw;
            create server there foreign data wrapper postgres_fdw options (host '127.0.0.1', port '{server.Port}', dbname '{new NpgsqlConnectionStringBuilder(database.ConnectionString).Database}');
            create user mapping for public server there options (user 'postgres', password_required 'false');
            create foreign table far_orders(id int, v text) server there options (table_name 'orders');
            """);
        await ClosedAsync(database);
        var denied = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("insert into far_orders values (90, 'from afar')"));
        Assert.Contains("writes to public.orders are closed", denied.MessageText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_a_deadlock_with_a_writer_the_fence_gives_way_and_closes_behind_it(bool newest)
    {
        await using var database = await CreateAsync(newest);
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System);
        await fence.PrepareAsync(Cancellation);
        await using var writer = await database.DataSource.OpenConnectionAsync(Cancellation);
        await using var transaction = await writer.BeginTransactionAsync(Cancellation);
        await new NpgsqlCommand("update child set id = 2", writer).ExecuteNonQueryAsync(Cancellation);
        var closing = fence.CloseAsync(Cancellation);
        while (await database.ScalarAsync<long>("select count(*) from pg_locks where relation = 'child'::regclass and not granted") == 0)
        {
            Assert.False(closing.IsCompleted, "the fence closed over a writer in flight");
        }

        await new NpgsqlCommand("update orders set v = 'the other way round'", writer).ExecuteNonQueryAsync(Cancellation);
        await transaction.CommitAsync(Cancellation);
        await closing;

        Assert.Equal("the other way round", await database.ScalarAsync<string>("select v from orders"));
        Assert.Equal(2, await database.ScalarAsync<int>("select id from child"));
        await fence.LiftAsync(Cancellation);
    }

    private Task<TestDatabase> CreateAsync(bool newest) => newest ? postgres.CreateTargetAsync(Schema) : postgres.CreateSourceAsync(Schema);

    private static async Task<SourceFence> ClosedAsync(TestDatabase database)
    {
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System);
        await fence.PrepareAsync(Cancellation);
        await fence.CloseAsync(Cancellation);
        return fence;
    }

    private static async Task<string> StateAsync(TestDatabase database) => string.Join('\n',
        await database.RowsAsync("select o::text from orders o union all select 'p' || p::text from parts p union all select 'e' || e::text from everything e union all select 'c' || c::text from child c order by 1"));
}

using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>What an owner can do to a closed fence shows before it is too late.</summary>
public sealed class ClosedFenceTests(PostgresFixture postgres)
{
    private const string Schema = """
        create table orders(id int primary key, v text); create table items(id int primary key);
        create table parts(id int, d int, primary key (id, d)) partition by range (d); create table p1 partition of parts for values from (0) to (10);
        """;

    private static readonly TableName[] Tables = [new("public", "orders"), new("public", "items"), new("public", "parts")];
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("alter table orders disable trigger cdcm_fence; insert into orders values (5, 'behind the marker'); alter table orders enable always trigger cdcm_fence", "public.orders had its trigger of the fence altered")]
    [InlineData("alter table orders disable trigger all", "public.orders has no enabled trigger of the fence")]
    [InlineData("drop trigger cdcm_fence on orders", "public.orders has no enabled trigger of the fence")]
    [InlineData("alter table p1 disable trigger user", "public.p1 has no enabled trigger of the fence")]
    [InlineData("create table p2 partition of parts for values from (10) to (20)", "public.p2 came")]
    [InlineData("alter table parts detach partition p1", "p1 was detached")]
    [InlineData("drop table items", "was dropped")]
    [InlineData("alter table orders alter v type varchar(5) using 'other'", "public.orders was written anew")]
    [InlineData("vacuum full items", "public.items was written anew")]
    [InlineData("set session_replication_role = replica; set cdc_migrator.applier = 'on'; truncate items", "public.items was written anew")]
    public async Task A_fence_that_was_touched_since_it_was_closed_cannot_be_sealed_and_what_was_touched_is_named(string touch, string expected)
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        var side = await PrepareAsync(database);
        await side.CloseAsync("a", 2, Lease, Cancellation);
        await database.ExecuteAsync(touch);

        var fault = (await Assert.ThrowsAsync<FaultException>(() => side.SealAsync("a", Margin, aim: null, Cancellation))).Fault;

        Assert.Equal((FaultKind.NotAllowed, "fence-broken"), (fault.Kind, fault.Code));
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.Equal(FenceState.Closed, (await side.ReadAsync(Cancellation))!.State);
        Assert.True(await side.UndoAsync("a", onlyForsaken: false, Cancellation));
        await database.ExecuteAsync("insert into orders values (1, 'open')");
    }

    [Fact]
    public async Task What_vacuum_and_reading_do_breaks_no_fence_and_neither_does_closing_again()
    {
        await using var database = await postgres.CreateTargetAsync(Schema);
        var side = await PrepareAsync(database);
        await side.CloseAsync("gone", 2, Lease, Cancellation);
        Assert.True(await side.UndoAsync("gone", onlyForsaken: false, Cancellation));
        await database.ExecuteAsync("create table p3 partition of parts for values from (30) to (40)");
        await side.CloseAsync("a", 3, Lease, Cancellation);
        await side.CloseAsync("a", 3, Lease, Cancellation);
        await database.ExecuteAsync("vacuum (freeze) orders");
        await database.ExecuteAsync("vacuum (freeze) pg_trigger");
        await database.ExecuteAsync("analyze; select * from orders for update");
        Assert.True(await side.SealAsync("a", Margin, aim: null, Cancellation));

        Assert.Empty(await side.FindGapsAsync(Cancellation));
        await database.ExecuteAsync("vacuum full items");
        Assert.Empty(await side.FindGapsAsync(Cancellation));
        await database.ExecuteAsync("alter table items disable trigger all");
        Assert.Equal(["public.items has no enabled trigger of the fence"], await side.FindGapsAsync(Cancellation));
    }

    [Fact]
    public async Task A_subscription_that_writes_past_it_is_refused_before_and_at_the_seal()
    {
        await using var publisher = await postgres.CreateSourceAsync("create table orders(id int primary key, v text); create publication p for table orders");
        await using var database = await postgres.CreateTargetAsync(Schema);
        var name = $"s{Guid.NewGuid():N}";
        await publisher.ExecuteAsync($"select pg_create_logical_replication_slot('{name}', 'pgoutput')");
        await database.ExecuteAsync($"create subscription {name} connection '{Libpq(publisher)}' publication p with (create_slot = false, slot_name = '{name}', copy_data = false)");
        try
        {
            var side = await PrepareAsync(database);
            var finding = Assert.Single(await FenceReadiness.CheckAsync(database.DataSource, "source", "m", Tables, Cancellation), finding => finding.Code == "fence-subscription");
            Assert.Equal(($"Subscription {name} of the source writes into orders: no trigger of a statement fires for what it writes", "orders"), (finding.Message, finding.Table));

            await side.CloseAsync("a", 2, Lease, Cancellation);
            await publisher.ExecuteAsync("insert into orders values (9, 'by subscription')");
            while (await database.ScalarAsync<long>("select count(*) from orders") == 0)
            {
                await Task.Yield();
            }

            Assert.Contains($"subscription {name} writes into public.orders", (await Assert.ThrowsAsync<FaultException>(() => side.SealAsync("a", Margin, aim: null, Cancellation))).Message, StringComparison.Ordinal);
            await database.ExecuteAsync($"alter subscription {name} disable");
            Assert.Equal("fence-subscription-disabled", Assert.Single(await FenceReadiness.CheckAsync(database.DataSource, "source", "m", Tables, Cancellation), finding => finding.Code.StartsWith("fence-subscription", StringComparison.Ordinal)).Code);
        }
        finally
        {
            await database.ExecuteAsync($"alter subscription {name} disable");
            await database.ExecuteAsync($"alter subscription {name} set (slot_name = none); drop subscription {name}");
            while (await publisher.ScalarAsync<bool>($"select active from pg_replication_slots where slot_name = '{name}'"))
            {
                await Task.Yield();
            }

            await publisher.ExecuteAsync($"select pg_drop_replication_slot('{name}')");
        }
    }

    private static async Task<FencedSide> PrepareAsync(TestDatabase database)
    {
        await ControlSchema.MigrateAsync(database.DataSource, Cancellation);
        var side = new FencedSide(database.DataSource, "m", Tables, "test", TimeProvider.System);
        await side.PrepareOpenAsync(Cancellation);
        return side;
    }

    private static string Libpq(TestDatabase database)
    {
        var text = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString);
        return $"host={text.Host} port={text.Port} dbname={text.Database} user={text.Username}";
    }
}

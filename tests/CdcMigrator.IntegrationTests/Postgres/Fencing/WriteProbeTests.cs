using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

public sealed class WriteProbeTests(PostgresFixture postgres)
{
    private const string Schema = """
        create table orders(id int generated always as identity primary key, v text, w text generated always as (v || '!') stored);
        create table parts(id int, d int, primary key (id, d)) partition by range (d); create table p1 partition of parts for values from (0) to (10);
        create table audit(v text);
        create function note() returns trigger language plpgsql as $$ begin insert into audit values ('written'); return null; end $$;
        create trigger a_note before insert or update or delete on orders for each statement execute function note();
        """;

    private static readonly TableName[] Tables = [new("public", "orders"), new("public", "parts")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_role_of_the_application_is_denied_exactly_while_the_side_is_closed_and_nothing_is_left_of_the_probe(bool newest)
    {
        await using var database = newest ? await postgres.CreateTargetAsync(Schema) : await postgres.CreateSourceAsync(Schema);
        await using var roles = await Roles.CreateAsync(database, """
            create role {0}_all; grant all on all tables in schema public to {0}_all;
            create role {0}_insert; grant insert on orders, audit to {0}_insert; create role {0}_column; grant update (d) on p1 to {0}_column; create role {0}_reader; grant select on orders to {0}_reader; create role {0}_super superuser;
            """);
        await using var control = PostgresConnections.CreateControl(database.ConnectionString);
        var fence = new SourceFence(control, Tables, TimeProvider.System);
        await fence.PrepareAsync(Cancellation);
        var counted = await CountAsync(database);

        foreach (var (role, written) in new[] { ("all", "orders, public.p1, public.parts"), ("insert", "orders"), ("column", "p1"), ("super", "orders, public.p1, public.parts") })
        {
            Assert.Equal($"Role {roles.Prefix}_{role} can write public.{written}", (await fence.ProbeAsync($"{roles.Prefix}_{role}", Cancellation)).Message);
        }

        await fence.CloseAsync(Cancellation);
        foreach (var role in new[] { "all", "insert", "column", "super" })
        {
            Assert.Equal(ProbeOutcome.Denied, await ProbeAsync(role));
        }

        Assert.Equal($"Role {roles.Prefix}_all is denied by 3 tables", (await fence.ProbeAsync($"{roles.Prefix}_all", Cancellation)).Message);
        Assert.Equal(ProbeOutcome.Unknown, await ProbeAsync("reader"));
        Assert.Equal(ProbeOutcome.Unknown, await ProbeAsync("nobody"));
        await database.ExecuteAsync("alter table p1 disable trigger all");
        Assert.Equal($"Role {roles.Prefix}_column can write public.p1", (await fence.ProbeAsync($"{roles.Prefix}_column", Cancellation)).Message);
        await fence.LiftAsync(Cancellation);
        Assert.Equal(ProbeOutcome.Passed, await ProbeAsync("all"));
        Assert.Equal(counted, await CountAsync(database));

        async Task<ProbeOutcome> ProbeAsync(string role) => (await fence.ProbeAsync($"{roles.Prefix}_{role}", Cancellation)).Outcome;
    }

    [Fact]
    public async Task A_role_that_cannot_be_taken_or_a_table_that_is_locked_proves_nothing()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        await using var roles = await Roles.CreateAsync(database, "create role {0}_app; grant all on all tables in schema public to {0}_app; create role {0}_poor login; grant usage on schema public to {0}_poor");
        var fence = new SourceFence(database.DataSource, Tables, TimeProvider.System) { LockTimeout = TimeSpan.FromMilliseconds(20) };
        await fence.PrepareAsync(Cancellation);
        await using var poor = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = $"{roles.Prefix}_poor", Pooling = false }.ConnectionString);
        var refused = await new SourceFence(poor, Tables, TimeProvider.System).ProbeAsync($"{roles.Prefix}_app", Cancellation);
        Assert.Equal((ProbeOutcome.Unknown, $"GRANT \"{roles.Prefix}_app\" TO \"{roles.Prefix}_poor\""), (refused.Outcome, refused.Fix));

        await fence.CloseAsync(Cancellation);
        await using var holder = await database.DataSource.OpenConnectionAsync(Cancellation);
        await using var transaction = await holder.BeginTransactionAsync(Cancellation);
        await new NpgsqlCommand("lock table orders in share mode", holder).ExecuteNonQueryAsync(Cancellation);
        var locked = await fence.ProbeAsync($"{roles.Prefix}_app", Cancellation);
        Assert.Equal(ProbeOutcome.Unknown, locked.Outcome);
        Assert.Contains("orders: canceling statement due to lock timeout", locked.Message, StringComparison.Ordinal);
    }

    private static Task<IReadOnlyList<string>> CountAsync(TestDatabase database) =>
        database.RowsAsync("select (select count(*) from orders), (select count(*) from parts), (select count(*) from audit), (select last_value from orders_id_seq), current_user");
}

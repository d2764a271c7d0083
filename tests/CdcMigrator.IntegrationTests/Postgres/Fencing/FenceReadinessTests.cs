using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>What a fence could not deny, or would wait for, is refused beforehand by name.</summary>
public sealed class FenceReadinessTests(PostgresFixture postgres)
{
    private const string Schema = """
        create table orders(id int primary key, v text);
        create table parts(id int, d int, primary key (id, d)) partition by range (d); create table p1 partition of parts for values from (0) to (10);
        """;

    private static readonly TableName[] Tables = [new("public", "orders"), new("public", "parts")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_side_that_can_be_closed_has_nothing_to_be_said_of_in_any_state(bool newest)
    {
        await using var database = await CreateAsync(newest);
        await ControlSchema.MigrateAsync(database.DataSource, Cancellation);
        Assert.Empty(await CheckAsync(database.DataSource));
        var side = new FencedSide(database.DataSource, "m", Tables, "test", TimeProvider.System);
        await side.PrepareOpenAsync(Cancellation);
        Assert.Empty(await CheckAsync(database.DataSource));
        await side.CloseAsync("a", 2, TimeSpan.FromMinutes(5), Cancellation);
        Assert.Empty(await CheckAsync(database.DataSource));
        await side.SealAsync("a", TimeSpan.FromSeconds(2), aim: null, Cancellation);
        Assert.Empty(await CheckAsync(database.DataSource));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Transactions_that_stay_are_refused_by_pid_or_name_and_those_that_only_read_are_not(bool newest)
    {
        await using var database = await CreateAsync(newest);
        await using var writer = await BeginAsync(database, "stubborn", "insert into p1 values (1, 1)");
        await using var reader = await BeginAsync(database, "reader", "select * from orders for update");
        var gid = $"g'{Guid.NewGuid():N}";
        await database.ExecuteAsync($"begin; insert into orders values (1, 'prepared'); prepare transaction '{gid.Replace("'", "''", StringComparison.Ordinal)}'");
        var other = $"o{Guid.NewGuid():N}";
        await database.ExecuteAsync($"create table unmoved(v int); begin; insert into unmoved values (1); prepare transaction '{other}'");
        try
        {
            IReadOnlyList<Finding> findings;
            do
            {
                findings = [.. (await FenceReadiness.CheckAsync(database.DataSource, "source", "m", Tables, TimeSpan.FromMilliseconds(100), Cancellation)).Where(finding => finding.Severity == Severity.Error)];
            }
            while (findings.All(finding => finding.Code != "fence-long-transaction"));

            var prepared = Assert.Single(findings, finding => finding.Code == "fence-prepared-transaction");
            Assert.StartsWith($"Prepared transaction '{gid}' of role postgres", prepared.Message, StringComparison.Ordinal);
            Assert.Equal(("orders", $"COMMIT PREPARED '{gid.Replace("'", "''", StringComparison.Ordinal)}' or ROLLBACK PREPARED '{gid.Replace("'", "''", StringComparison.Ordinal)}'"), (prepared.Table, prepared.Fix));
            var open = Assert.Single(findings, finding => finding.Code == "fence-long-transaction");
            Assert.StartsWith($"Pid {writer.ProcessID} (stubborn, role postgres, idle in transaction) holds p1 in the source since 2", open.Message, StringComparison.Ordinal);
            Assert.Contains($"select pg_terminate_backend({writer.ProcessID})", open.Fix, StringComparison.Ordinal);
            Assert.Equal(2, findings.Count);
            Assert.DoesNotContain(await FenceReadiness.CheckAsync(database.DataSource, "source", "m", [new("public", "parts")], TimeSpan.FromHours(1), Cancellation), FenceReadiness.IsPassing);
        }
        finally
        {
            await database.ExecuteAsync($"rollback prepared '{gid.Replace("'", "''", StringComparison.Ordinal)}'");
            await database.ExecuteAsync($"rollback prepared '{other}'");
        }
    }

    [Fact]
    public async Task A_session_that_ended_its_transaction_while_it_was_looked_at_is_no_long_transaction()
    {
        await using var database = await CreateAsync(newest: false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            await using var session = await database.DataSource.OpenConnectionAsync(Cancellation);
            await using var write = new NpgsqlCommand($"insert into orders values ({writer}, '') on conflict do nothing; delete from orders where id = {writer}", session);
            while (!stop.IsCancellationRequested)
            {
                await write.ExecuteNonQueryAsync(Cancellation);
            }
        })).ToList();
        var seen = new List<string>();
        for (var look = 0; look < 300; look++)
        {
            seen.AddRange((await FenceReadiness.CheckAsync(database.DataSource, "source", "m", Tables, TimeSpan.Zero, Cancellation)).Where(FenceReadiness.IsPassing).Select(finding => finding.Message));
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Assert.NotEmpty(seen);
        Assert.DoesNotContain(seen, message => message.Contains(", idle)", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sessions_that_get_the_replica_role_unasked_are_named_with_what_takes_it_away(bool newest)
    {
        await using var database = await CreateAsync(newest);
        await using var roles = await Roles.CreateAsync(database, "create role {0}_app; alter role {0}_app set session_replication_role = replica; create role {0}_here; alter role {0}_here set session_replication_role = origin");
        var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database!;
        await roles.ExecuteAsync($"alter role {{0}}_here in database {name} set session_replication_role = replica; alter database {name} set session_replication_role = replica; create function load() returns void language sql set session_replication_role = replica as 'select'");

        var findings = (await CheckAsync(database.DataSource)).Where(finding => finding.Code == "fence-replica-role").ToList();

        Assert.Equal(
            [$"ALTER DATABASE {name} RESET session_replication_role", $"ALTER ROLE {roles.Prefix}_app RESET session_replication_role", $"ALTER ROLE {roles.Prefix}_here IN DATABASE {name} RESET session_replication_role", "ALTER ROUTINE load() RESET session_replication_role"],
            findings.Select(finding => finding.Fix).Order(StringComparer.Ordinal));
        foreach (var finding in findings)
        {
            await database.ExecuteAsync(finding.Fix);
        }

        Assert.Empty((await CheckAsync(database.DataSource)).Where(finding => finding.Code == "fence-replica-role"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_cannot_be_fenced_or_stays_behind_is_named(bool newest)
    {
        await using var database = await CreateAsync(newest);
        await database.ExecuteAsync("""
            create unlogged table p2 partition of parts for values from (10) to (20);
            create foreign data wrapper nothing; create server nowhere foreign data wrapper nothing; create foreign table p3 partition of parts for values from (20) to (30) server nowhere;
            create function noop() returns trigger language plpgsql as 'begin return null; end'; create trigger noisy after insert on orders for each row execute function noop(); alter table orders enable always trigger noisy;
            create table everything(id int, d int) partition by range (d); create table moved partition of everything for values from (0) to (10);
            create table forgotten(id int); select lo_create(0); alter table orders add picture oid;
            """.Replace("parts for values from (20)", "loose for values from (20)", StringComparison.Ordinal).Replace("create unlogged", "create table loose(id int, d int) partition by range (d); create unlogged", StringComparison.Ordinal));
        TableName[] tables = [.. Tables, new("public", "loose"), new("public", "moved"), new("public", "gone")];

        var findings = await FenceReadiness.CheckAsync(database.DataSource, "target", "m", tables, Cancellation);

        Assert.Equal(
            [
                "fence-foreign-partition|Error|p3", "fence-large-objects|Warning|", "fence-parent-outside|Info|moved", "fence-table-outside|Warning|", "missing-table|Error|public.gone", "trigger-fires|Warning|orders", "unlogged|Error|p2",
            ],
            findings.Select(finding => $"{finding.Code}|{finding.Severity}|{finding.Table}").Order(StringComparer.Ordinal));
        Assert.Contains("public.everything, public.forgotten", findings.Single(finding => finding.Code == "fence-table-outside").Message, StringComparison.Ordinal);
        Assert.Contains("orders.picture may refer to them", findings.Single(finding => finding.Code == "fence-large-objects").Message, StringComparison.Ordinal);
        Assert.Equal(findings.OrderByDescending(finding => finding.Severity).Select(finding => finding.Code), findings.Select(finding => finding.Code));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_role_that_does_not_own_the_tables_is_told_whose_they_are_and_can_close_them_once_it_has_that_role(bool newest)
    {
        await using var database = await CreateAsync(newest);
        await using var roles = await Roles.CreateAsync(database, "create role {0}_owner; alter table orders owner to {0}_owner; alter table parts owner to {0}_owner; alter table p1 owner to {0}_owner; create role {0}_poor login; grant usage on schema public to {0}_poor");
        await roles.ExecuteAsync($"grant create on database {new NpgsqlConnectionStringBuilder(database.ConnectionString).Database} to {{0}}_poor");
        await using var poor = PostgresConnections.CreateControl(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = $"{roles.Prefix}_poor", Pooling = false }.ConnectionString);

        var findings = (await CheckAsync(poor)).Where(finding => finding.Code == "fence-ownership").ToList();

        Assert.Equal(["public.orders", "public.p1", "public.parts"], findings.Select(finding => finding.Table).Order(StringComparer.Ordinal));
        Assert.Equal($"Role {roles.Prefix}_poor does not own public.orders in the source, so it cannot fence it: {roles.Prefix}_owner does", findings.Single(finding => finding.Table == "public.orders").Message);
        Assert.Single(await CheckAsync(poor), finding => finding.Code == "fence-deadlock-timeout");
        var fence = new SourceFence(poor, Tables, TimeProvider.System);
        Assert.Equal("fence-ownership", (await Assert.ThrowsAsync<Domain.Faults.FaultException>(() => fence.PrepareAsync(Cancellation))).Fault.Code);

        await database.ExecuteAsync(findings[0].Fix);
        Assert.Empty((await CheckAsync(poor)).Where(finding => finding.Code == "fence-ownership"));
        await fence.PrepareAsync(Cancellation);
        await fence.CloseAsync(Cancellation);
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("insert into p1 values (1, 1)"))).SqlState);
        await fence.LiftAsync(Cancellation);
    }

    [Fact]
    public async Task A_fence_that_is_not_as_the_row_says_is_named()
    {
        await using var database = await postgres.CreateSourceAsync(Schema);
        await ControlSchema.MigrateAsync(database.DataSource, Cancellation);
        var side = new FencedSide(database.DataSource, "m", Tables, "test", TimeProvider.System);
        await side.PrepareOpenAsync(Cancellation);
        await database.ExecuteAsync("alter table orders enable trigger cdcm_fence; drop trigger cdcm_fence on p1");
        await database.ExecuteAsync("create table p2(id int, d int, primary key (id, d)); alter table parts attach partition p2 for values from (10) to (20); ");
        string[] came =
        [
            "fence-trigger-missing|Info|p1 came to the source after it was prepared: it gets its trigger with the close", "fence-trigger-missing|Info|p2 came to the source after it was prepared: it gets its trigger with the close",
        ];
        Assert.Equal(
            ["fence-lifting|Info|orders has the fence's triggers enabled still in the source, which was opened while something held the table's lock: they let writes pass, and are disabled once it is free", .. came], await ToldAsync());

        // They look at every migration's row.
        await database.ExecuteAsync("insert into cdc_migrator.fence_state (migration, state, epoch) values ('other', 'sealed', 0)");
        Assert.Equal(["fence-state|Error|orders denies writes although the source is open", .. came], await ToldAsync());
        await database.ExecuteAsync("delete from cdc_migrator.fence_state where migration = 'other'");

        await side.CloseAsync("a", 2, TimeSpan.FromMinutes(5), Cancellation);
        await database.ExecuteAsync("alter table orders disable trigger cdcm_fence; drop trigger cdcm_fence on p1");
        Assert.Equal(
            [
                "fence-state|Error|orders takes writes although the source is closed: a trigger of the fence is disabled", "fence-state|Error|p1 takes writes although the source is closed: a trigger of the fence is missing",
            ],
            await ToldAsync());

        async Task<IEnumerable<string>> ToldAsync() => (await CheckAsync(database.DataSource)).Select(finding => $"{finding.Code}|{finding.Severity}|{finding.Message}");
    }

    private static Task<IReadOnlyList<Finding>> CheckAsync(NpgsqlDataSource database) => FenceReadiness.CheckAsync(database, "source", "m", Tables, Cancellation);

    private static async Task<NpgsqlConnection> BeginAsync(TestDatabase database, string application, string sql)
    {
        var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        await new NpgsqlCommand($"set application_name = '{application}'; begin; {sql}", connection).ExecuteNonQueryAsync(Cancellation);
        return connection;
    }

    private Task<TestDatabase> CreateAsync(bool newest) => newest ? postgres.CreateTargetAsync(Schema) : postgres.CreateSourceAsync(Schema);
}

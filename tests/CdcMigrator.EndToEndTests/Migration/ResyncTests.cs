using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.Postgres.Digests;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>Tables copied again by real Debezium while changes go on, with the service killed in between.</summary>
[Collection(typeof(SteadyKit))]
public sealed class ResyncTests(KitFixture kit, ITestOutputHelper output)
{
    private static readonly TableName Customers = new("public", "customers");
    private static readonly TableName Table = new("public", "t");
    private static readonly TableName Later = new("public", "later");

    [Theory]
    [InlineData(MigrationFormat.Json)]
    [InlineData(MigrationFormat.Avro)]
    public async Task A_damaged_table_copied_again_under_load_is_equal_though_the_service_was_killed_twice(MigrationFormat format)
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(
            kit, $"resync-{format}".ToLowerInvariant(), ShopSchema.Sql, ShopSchema.Tables, connection => ShopSchema.LoadAsync(connection, 100_000, token));
        await stack.RegisterAsync(format);
        var service = stack.StartService();
        await stack.DrainAsync(token);
        await using var workload = ShopWorkload.Start(new WriteSide("source", stack.SourceConnection), new ShopWorkloadOptions { Rate = 50 });
        await workload.WaitForAcknowledgedAsync(50, token);

        // Of the seed's rows, of which the workload takes over those with low ids only: one changed, one gone, and one too many that holds the e-mail of the
        // one that is gone.
        await ExecuteAsync(stack.Target, """
            begin; set local session_replication_role = replica;
            update customers set name = 'damaged', credit = null, biography = 'none' where id = 20007;
            create temp table gone on commit drop as with deleted as (delete from customers where id = 20008 returning email) select email from deleted;
            insert into customers (id, email, name) select 900000000000, email, 'surplus' from gone;
            insert into customers (id, email, name) values (900000000001, 'surplus', 'surplus');
            commit;
            """);
        Assert.Superset(
            new HashSet<string>(["20007", "20008", "900000000000", "900000000001"]), (await CompareAsync(stack, Customers, token)).Differences.Select(row => row.Key["id"]!).ToHashSet());

        var asked = await Cdcm.RunAsync("tables", "resync", "public.customers", "--yes", "--server", service.Address.ToString());
        Assert.True(asked.ExitCode == 0, $"{asked.Error}{asked.Output}");
        foreach (var phases in new string[][] { ["copying", "removing", "done"], ["removing", "done"] })
        {
            await PhaseAsync(stack, Customers, token, phases);
            await service.KillAsync();
            service = stack.StartService();
        }

        await PhaseAsync(stack, Customers, token, "done");
        await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + 50, token);
        await workload.StopAsync(token);
        await stack.DrainAsync(token);
        var verdict = await workload.CheckAsync(stack.TargetConnection, token);
        Assert.True(verdict.Kept, verdict.ToString());
        foreach (var table in ShopSchema.Tables)
        {
            await ShouldBeEqualAsync(stack, table, token);
        }
    }

    [Fact]
    public async Task A_table_added_to_the_file_is_refused_until_the_connector_captures_it_then_copied_while_it_changes()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        const string Schema = "create table t(id int primary key, v text); create table later(id int primary key, v text)";
        await using var stack = await MigrationStack.StartAsync(kit, "added", Schema, [Table], async connection =>
        {
            await using var source = NpgsqlDataSource.Create(connection);
            await ExecuteAsync(source, "insert into t values (1, 'one'); insert into later select g, 'old' from generate_series(1, 20000) g");
        });
        await stack.RegisterAsync(MigrationFormat.Json);
        var service = stack.StartService();
        await stack.DrainAsync(token);
        await ExecuteAsync(stack.Source, "update later set v = 'before' where id = 1");

        stack.Add(new TableMapping { Source = Later, Target = Later });
        await service.KillAsync();
        service = stack.StartService();
        await stack.WaitAsync("the service to run", async () => (await service.LanesAsync()).Count > 0, token);
        var refused = await Cdcm.RunAsync("tables", "resync", "public.later", "--yes", "--server", service.Address.ToString());
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("does not capture public.later", refused.Error, StringComparison.Ordinal);

        await stack.RegisterAsync(MigrationFormat.Json);
        await ExecuteAsync(stack.Source, "update later set v = 'registered' where id = 2; delete from later where id = 3");
        var copied = await Cdcm.RunAsync("tables", "resync", "public.later", "--yes", "--wait", "--timeout", "4m", "--server", service.Address.ToString());
        output.WriteLine($"{copied.Error}{copied.Output}");
        Assert.True(copied.ExitCode == 0, $"{copied.Error}{copied.Output}");
        await ExecuteAsync(stack.Source, "update later set v = 'after' where id = 4; delete from later where id = 5; insert into later values (20001, 'new')");
        await stack.DrainAsync(token);
        Assert.Equal(19999, (await ShouldBeEqualAsync(stack, Later, token)).RowsTarget);
    }

    [Theory]
    [InlineData(MigrationFormat.Avro)]
    public async Task Dead_letters_are_read_by_a_new_process_refuse_a_copy_and_hold_one_up_until_they_are_gone(MigrationFormat format)
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(kit, $"parked-{format}".ToLowerInvariant(), "create table t(id int primary key, v text, n int)", [Table], async connection =>
        {
            await using var source = NpgsqlDataSource.Create(connection);
            await ExecuteAsync(source, "insert into t select g, 'old', g from generate_series(1, 100) g; insert into t values (101, 'refused', -1)");
        });
        stack.ParksPoison = true;
        await ExecuteAsync(stack.Target, "alter table t add constraint small check (n between 0 and 1000)");
        await stack.RegisterAsync(format);
        var service = stack.StartService();
        await stack.WaitAsync("the snapshot row to be parked", async () => await CountAsync(stack, "select count(*) from cdc_migrator.dead_letter where code = 'check'", token) == 1, token);
        await ExecuteAsync(stack.Source, "update t set n = 5000 where id = 7");
        await stack.WaitAsync("the update to be parked", async () => await CountAsync(stack, "select count(*) from cdc_migrator.dead_letter where code = 'check'", token) == 2, token);

        // Nothing is known of any schema in the new process: the first records it meets are of parked rows.
        await service.KillAsync();
        await ExecuteAsync(stack.Source, "update t set v = 'behind' where id in (7, 101)");
        service = stack.StartService();
        await stack.WaitAsync("later changes to be parked", async () => await CountAsync(stack, "select count(*) from cdc_migrator.dead_letter", token) == 4, token);
        Assert.Equal(2, await CountAsync(stack, "select count(*) from cdc_migrator.dead_letter where code = 'behind-parked'", token));
        await service.KillAsync();
        service = stack.StartService();
        await stack.WaitAsync("the service to run", async () => (await service.LanesAsync()).Count > 0, token);
        var shown = await VerbAsync(0, "dlq", "show", $"{await CountAsync(stack, "select id from cdc_migrator.dead_letter where code = 'check' and row_key like '%7%'", token)}", "-o", "json");
        Assert.Contains("5000", shown.Output, StringComparison.Ordinal);

        var refused = await VerbAsync(6, "tables", "resync", "public.t", "--yes");
        Assert.Contains("public.t has 4", refused.Error, StringComparison.Ordinal);
        Assert.Contains("cdcm dlq retry --table public.t", refused.Error, StringComparison.Ordinal);

        // One row is given up, the other retried; then both are as in the source after the copy.
        await ExecuteAsync(stack.Target, "alter table t drop constraint small");
        await VerbAsync(0, "dlq", "discard", "--key", "7", "--yes");
        await VerbAsync(0, "dlq", "retry", "--all");
        await VerbAsync(0, "tables", "resync", "public.t", "--yes", "--wait", "--timeout", "4m");
        await ShouldBeEqualAsync(stack, Table, token);

        // What is copied of a row the target refuses now is parked: the copy waits, and begins again where it was given up.
        await ExecuteAsync(stack.Target, "alter table t add constraint small check (n between 0 and 1000) not valid");
        await VerbAsync(0, "tables", "resync", "public.t", "--yes");
        await stack.WaitAsync("the copy to wait for its dead letters", async () =>
            await CountAsync(stack, "select count(*) from cdc_migrator.resync where phase = 'removing' and fault like 'waits for 2 dead letters%'", token) == 1, token);
        Assert.Contains("waits for 2 dead letters", (await VerbAsync(0, "tables", "show", "public.t", "-o", "json")).Output, StringComparison.Ordinal);
        await ExecuteAsync(stack.Target, "alter table t drop constraint small");
        await ExecuteAsync(stack.Target, "delete from t where id = 7");
        await VerbAsync(0, "dlq", "discard", "--all", "--yes");
        await PhaseAsync(stack, Table, token, "done");
        await ShouldBeEqualAsync(stack, Table, token);
        Assert.Equal(1, await CountAsync(stack, "select count(*) from cdc_migrator.journal where event = 'resync-requested' and actor = 'resync'", token));

        async Task<ProcessResult> VerbAsync(int exitCode, params string[] verb)
        {
            var result = await Cdcm.RunAsync([.. verb, "--server", service.Address.ToString()]);
            Assert.True(result.ExitCode == exitCode, $"{string.Join(' ', verb)}: {result.ExitCode} {result.Error}{result.Output}");
            return result;
        }
    }

    private static async Task<long> CountAsync(MigrationStack stack, string sql, CancellationToken token)
    {
        try
        {
            await using var command = stack.Target.CreateCommand(sql);
            return await command.ExecuteScalarAsync(token) is long count ? count : -1;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return -1;
        }
    }

    private static Task PhaseAsync(MigrationStack stack, TableName table, CancellationToken token, params string[] phases) =>
        stack.WaitAsync($"the copy of {table} to be {string.Join(" or ", phases)}", async () =>
        {
            await using var command = stack.Target.CreateCommand("select phase from cdc_migrator.resync where migration = $1 and source_table = $2");
            command.Parameters.Add(new NpgsqlParameter { Value = stack.Name });
            command.Parameters.Add(new NpgsqlParameter { Value = table.ToString() });
            return await command.ExecuteScalarAsync(token) is string phase && phases.Contains(phase);
        }, token);

    private async Task<TableComparisonResult> ShouldBeEqualAsync(MigrationStack stack, TableName table, CancellationToken token)
    {
        var result = await CompareAsync(stack, table, token);
        output.WriteLine($"{table}: {result.RowsSource} rows, {result.Differences.Count} differences");
        Assert.True(result.Equal, $"{table}: {result.RowsSource} against {result.RowsTarget} rows; {string.Join("; ", result.Differences.Select(row => $"{row.Kind} {string.Join('/', row.Key.Values)}"))}");
        return result;
    }

    private static async Task<TableComparisonResult> CompareAsync(MigrationStack stack, TableName table, CancellationToken token)
    {
        var routes = await TargetCatalog.LoadAsync(stack.Target, [new TableMapping { Source = table, Target = table }], token);
        return await new TableComparison(stack.Source, stack.Target).CompareAsync(routes.Find(table)!, 1000, token);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}

using CdcMigrator.Embedded.Servers;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Demo;

public sealed class ShopWorkloadTests(PostgresFixture postgres)
{
    private static readonly ShopWorkloadOptions Fast = new() { Writers = 4, Rate = 0, AdoptedCustomers = 20 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_shop_holds_about_the_rows_asked_for_in_every_table()
    {
        await using var shop = await LoadAsync(1000);
        var counts = await shop.RowsAsync(
            "select (select count(*) from products), (select count(*) from customers), (select count(*) from orders), (select count(*) from order_items)");
        var numbers = counts[0].Split('|').Select(int.Parse).ToArray();
        Assert.All(numbers, count => Assert.True(count > 0));
        Assert.InRange(numbers.Sum(), 900, 1100);
        Assert.NotEqual(0, await shop.ScalarAsync<long>("select count(*) from orders where length(note) > 8192"));
    }

    [Fact]
    public async Task Every_kind_of_operation_runs_and_the_side_written_to_keeps_every_promise()
    {
        await using var shop = await LoadAsync(400);
        await using var workload = ShopWorkload.Start(new WriteSide("source", shop.ConnectionString), Fast);
        await workload.WaitForAcknowledgedAsync(1500, Cancellation);
        await workload.StopAsync(Cancellation);

        Assert.Empty(workload.Failures);
        var verdict = await workload.CheckAsync(shop.ConnectionString, Cancellation);
        Assert.True(verdict.Kept, verdict.ToString());
        Assert.Equal(workload.Ledger.Acknowledged, verdict.ReceiptsExpected);
        Assert.Equal(13, await shop.ScalarAsync<long>("select count(distinct what) from receipts"));
    }

    [Fact]
    public async Task A_changed_row_a_missing_row_and_a_missing_receipt_are_found()
    {
        await using var shop = await LoadAsync(400);
        await using var workload = ShopWorkload.Start(new WriteSide("source", shop.ConnectionString), Fast);
        await workload.WaitForAcknowledgedAsync(100, Cancellation);
        await workload.StopAsync(Cancellation);

        var changed = await shop.ScalarAsync<int>("update products set price = price + 1 where id = 5 returning id");
        var gone = await shop.ScalarAsync<string>("delete from order_items where order_id = (select min(id) from orders where customer_id > 1000000000) and line = 1 returning order_id || '/' || line");
        var lost = await shop.ScalarAsync<Guid>("delete from receipts where id = (select id from receipts limit 1) returning id");
        var verdict = await workload.CheckAsync(shop.ConnectionString, Cancellation);

        Assert.Equal([lost], verdict.LostReceipts);
        Assert.Equal([new RowKey("order_items", gone!), new RowKey("products", $"{changed}")], verdict.WrongRows.OrderBy(row => row.Table));
    }

    [Fact]
    public async Task A_server_killed_again_and_again_leaves_no_write_in_doubt_and_none_lost()
    {
        await using var server = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Installation = PostgresInstallation.FindAll()[0] }, Cancellation);
        var connection = await server.CreateDatabaseAsync("shop", ShopSchema.Sql, Cancellation);
        await ShopSchema.LoadAsync(connection, 400, Cancellation);
        await using var workload = ShopWorkload.Start(new WriteSide("source", connection), Fast);
        for (var kill = 0; kill < 3; kill++)
        {
            await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + 200, Cancellation);
            await server.KillAsync(Cancellation);
            await server.StartAsync(Cancellation);
        }

        await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + 100, Cancellation);
        await workload.StopAsync(Cancellation);
        Assert.NotEmpty(workload.Failures);
        Assert.Equal(0, workload.Ledger.Undecided);
        var verdict = await workload.CheckAsync(connection, Cancellation);
        Assert.True(verdict.Kept, verdict.ToString());
    }

    [Fact]
    public async Task Sessions_terminated_in_the_middle_of_commits_are_decided_by_their_receipts()
    {
        await using var shop = await LoadAsync(400);
        await using var workload = ShopWorkload.Start(new WriteSide("source", shop.ConnectionString), Fast);
        for (var round = 0; round < 20; round++)
        {
            await workload.WaitForAcknowledgedAsync(workload.Ledger.Acknowledged + 20, Cancellation);
            await shop.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shop' and datname = current_database()");
        }

        await workload.StopAsync(Cancellation);
        var verdict = await workload.CheckAsync(shop.ConnectionString, Cancellation);
        Assert.True(verdict.Kept, verdict.ToString());
        Assert.Equal(workload.Ledger.Acknowledged + workload.Ledger.FoundCommitted, verdict.ReceiptsExpected);
    }

    [Fact]
    public async Task A_fence_denies_every_write_and_the_writers_go_on_where_they_are_sent()
    {
        await using var shop = await LoadAsync(400);
        await using var workload = ShopWorkload.Start(new WriteSide("source", shop.ConnectionString), Fast);
        await workload.WaitForAcknowledgedAsync(100, Cancellation);
        var fence = new SourceFence(shop.DataSource, ShopSchema.Tables, TimeProvider.System);
        await fence.PrepareAsync(Cancellation);
        await fence.CloseAsync(Cancellation);
        var receipts = await shop.ScalarAsync<long>("select count(*) from receipts");
        while (workload.Denied < 20)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), Cancellation);
        }

        Assert.Equal(receipts, await shop.ScalarAsync<long>("select count(*) from receipts"));
        Assert.Equal(receipts, workload.Ledger.Acknowledged);

        // The same database under another name stands for a target that holds all rows.
        await fence.LiftAsync(Cancellation);
        workload.SwitchTo(new WriteSide("target", shop.ConnectionString));
        while (workload.Ledger.AcknowledgedBy("target") < 100)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), Cancellation);
        }

        await workload.StopAsync(Cancellation);
        Assert.NotNull(workload.Ledger.Outage("source", "target"));
        var verdict = await workload.CheckAsync(shop.ConnectionString, Cancellation);
        Assert.True(verdict.Kept, verdict.ToString());
    }

    [Fact]
    public async Task Paused_writers_rest_between_transactions_and_go_on()
    {
        await using var shop = await LoadAsync(400);
        await using var workload = ShopWorkload.Start(new WriteSide("source", shop.ConnectionString), Fast);
        await workload.WaitForAcknowledgedAsync(50, Cancellation);
        await workload.PauseAsync(Cancellation);
        var receipts = await shop.ScalarAsync<long>("select count(*) from receipts");
        Assert.Equal((receipts, 0), (workload.Ledger.Acknowledged, workload.Ledger.Undecided));
        Assert.True((await workload.CheckAsync(shop.ConnectionString, Cancellation)).Kept);
        Assert.Equal(receipts, await shop.ScalarAsync<long>("select count(*) from receipts"));

        workload.Resume();
        await workload.WaitForAcknowledgedAsync(receipts + 50, Cancellation);
        await workload.StopAsync(Cancellation);
    }

    private async Task<TestDatabase> LoadAsync(long rows)
    {
        var shop = await postgres.CreateSourceAsync(ShopSchema.Sql);
        await ShopSchema.LoadAsync(shop.ConnectionString, rows, Cancellation);
        return shop;
    }
}

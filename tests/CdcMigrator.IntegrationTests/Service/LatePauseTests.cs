using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>A pause and an attempt that do not see each other when they begin: they are in two databases.</summary>
public sealed class LatePauseTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pause_that_comes_behind_the_seal_of_an_attempt_it_did_not_see_is_taken_back_and_says_so()
    {
        await using var shop = await MovedShop.CreateAsync(postgres, "late_pause");
        var service = shop.Start();
        await shop.UntilPreparedAsync(service);

        // As a batch in flight would, it keeps the pause waiting while another process's attempt goes through.
        await using var batch = await shop.Target.DataSource.OpenConnectionAsync(Cancellation);
        await using var transaction = await batch.BeginTransactionAsync(Cancellation);
        await using (var hold = new NpgsqlCommand("select from cdc_migrator.migration for share", batch, transaction))
        {
            await hold.ExecuteNonQueryAsync(Cancellation);
        }

        var pausing = service.RunAsync("pause", "--reason", "another disk", "--by", "bob");
        await shop.UntilPauseWaitsForAsync(batch.ProcessID);
        var source = new FencedSide(shop.Source.DataSource, "late_pause", ShopSchema.Tables, "another", TimeProvider.System);
        await source.CloseAsync("other", 2, TimeSpan.FromMinutes(5), Cancellation);
        Assert.True(await source.SealAsync("other", TimeSpan.Zero, aim: null, Cancellation));
        await transaction.RollbackAsync(Cancellation);

        var refused = await pausing;
        Assert.Equal(6, refused.ExitCode);
        Assert.Contains("the pause was taken back", refused.Error, StringComparison.Ordinal);
        Assert.Equal(["paused", "resumed"], await shop.Target.RowsAsync("select event from cdc_migrator.journal where event in ('paused', 'resumed') order by id"));
        Assert.Equal(["f"], await shop.Target.RowsAsync("select paused_at is not null from cdc_migrator.migration"));
    }
}

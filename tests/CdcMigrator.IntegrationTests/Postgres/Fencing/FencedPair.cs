using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>Two prepared sides of a migration with one table, applications at the source.</summary>
internal sealed class FencedPair(TestDatabase left, TestDatabase right, TimeSpan lease) : IAsyncDisposable
{
    private static readonly TableName[] Tables = [new("public", "orders")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public TestDatabase Left => left;

    public TestDatabase Right => right;

    public FencedSide Source { get; } = new(left.DataSource, "m", Tables, "test", TimeProvider.System);

    public FencedSide Target { get; } = new(right.DataSource, "m", Tables, "test", TimeProvider.System);

    public static async Task<FencedPair> CreateAsync(PostgresFixture postgres, TimeSpan lease)
    {
        const string Schema = "create table orders(id int primary key, v text)";
        var pair = new FencedPair(await postgres.CreateSourceAsync(Schema), await postgres.CreateTargetAsync(Schema), lease);
        await ControlSchema.MigrateAsync(pair.Left.DataSource, Cancellation);
        await ControlSchema.MigrateAsync(pair.Right.DataSource, Cancellation);
        await pair.Source.PrepareOpenAsync(Cancellation);
        await pair.Target.PrepareSealedAsync(Cancellation);
        return pair;
    }

    public async Task SwitchAsync(FencedSide from, FencedSide to, string token, long epoch)
    {
        await from.CloseAsync(token, epoch, lease, Cancellation);
        Assert.True(await from.SealAsync(token, TimeSpan.FromSeconds(2), aim: null, Cancellation));
        Assert.True(await to.OpenAsync(token, epoch, Cancellation));
    }

    /// <summary>By writing: not by what a row says.</summary>
    public async Task<(bool Source, bool Target)> WritableAsync() => (await IsWritableAsync(left), await IsWritableAsync(right));

    public async ValueTask DisposeAsync()
    {
        await left.DisposeAsync();
        await right.DisposeAsync();
    }

    private static async Task<bool> IsWritableAsync(TestDatabase side)
    {
        try
        {
            await side.ExecuteAsync("delete from orders where id = 1; insert into orders values (1, 'x')");
            return true;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            return false;
        }
    }
}

using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Embedded;

public sealed class StopTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Stopping_at_any_moment_of_connecting_ends()
    {
        await using var scene = await LogScene.CreateAsync(postgres, "create table t(id int primary key)", "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.StopAsync();
        for (var i = 0; i < 20; i++)
        {
            await scene.StartAsync();
            await Task.Delay(i * 4);
            await scene.StopAsync().WaitAsync(TimeSpan.FromSeconds(20));
        }
    }
}

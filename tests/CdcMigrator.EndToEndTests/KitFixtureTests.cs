using CdcMigrator.TestKit.Kit;

namespace CdcMigrator.EndToEndTests;

[Collection(typeof(KilledKit))]
public sealed class KitFixtureTests(KitFixture kit)
{
    [Fact]
    public async Task The_broker_comes_back_with_its_topics_after_a_kill()
    {
        kit.Require();
        await kit.RunAsync("topic", "survivor", "1");
        await kit.KillAsync("broker");
        await kit.UpAsync("broker");
        Assert.Contains("survivor", await kit.RunAsync("topics"), StringComparison.Ordinal);
    }
}

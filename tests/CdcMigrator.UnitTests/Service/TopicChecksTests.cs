using CdcMigrator.Domain.Preflight;
using CdcMigrator.Service.Preflight;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.UnitTests.Service;

public sealed class TopicChecksTests
{
    [Theory]
    [InlineData("compact")]
    [InlineData("compact,delete")]
    public void A_compacted_topic_is_an_error(string policy) =>
        Assert.Equal((Severity.Error, "topic-compacted"), Found(new TopicSettings("shop.public.orders", policy, null, null)));

    [Theory]
    [InlineData(1, Severity.Error)]
    public void Short_retention_is_named(int hours, Severity expected) =>
        Assert.Equal((expected, "topic-retention"), Found(new TopicSettings("shop.public.orders", "delete", TimeSpan.FromHours(hours), null)));

    [Fact]
    public void Retention_by_size_is_a_warning() =>
        Assert.Equal((Severity.Warning, "topic-retention-bytes"), Found(new TopicSettings("shop.public.orders", "delete", null, 1 << 30)));

    [Fact]
    public void A_week_of_retention_is_fine() =>
        Assert.Empty(TopicChecks.Check(new TopicSettings("shop.public.orders", "delete", TimeSpan.FromDays(7), null)));

    private static (Severity Severity, string Code) Found(TopicSettings settings)
    {
        var finding = Assert.Single(TopicChecks.Check(settings));
        Assert.Contains("shop.public.orders", finding.Message, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Fix);
        return (finding.Severity, finding.Code);
    }
}

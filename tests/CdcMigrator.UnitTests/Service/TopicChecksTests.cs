using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
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

    [Theory]
    [InlineData(4, true, 1)]
    [InlineData(1, true, 0)]
    [InlineData(0, false, 0)]
    public void A_table_declared_so_needs_a_topic_of_one_partition(int partitions, bool exists, int findings)
    {
        var table = new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders"), OnePartition = true };
        var found = TopicChecks.Check(table, new TopicDescription("shop.public.orders", exists, "", partitions)).ToList();
        Assert.Equal(findings, found.Count);
        Assert.All(found, finding => Assert.Equal((Severity.Error, "topic-partitions", "public.orders"), (finding.Severity, finding.Code, finding.Table)));
    }

    private static (Severity Severity, string Code) Found(TopicSettings settings)
    {
        var finding = Assert.Single(TopicChecks.Check(settings));
        Assert.Contains("shop.public.orders", finding.Message, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Fix);
        return (finding.Severity, finding.Code);
    }
}

using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.UnitTests.Domain.Auditing;

public sealed class RowRulesTests
{
    private static readonly TableMapping Orders = new() { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") };

    [Theory]
    [InlineData(null, false, null)]
    [InlineData(1_000_000L, false, null)]
    [InlineData(500_000L, true, null)]
    [InlineData(500_001L, true, Severity.Warning)]
    [InlineData(1_000_001L, false, Severity.Warning)]
    [InlineData(8_000_001L, false, Severity.Error)]
    [InlineData(4_000_001L, true, Severity.Error)]
    public void Rows_that_make_a_message_larger_than_kafka_or_the_migration_takes_are_findings(long? bytes, bool two, Severity? severity) =>
        Assert.Equal(severity, RowRules.Of(Orders, bytes, two, 8_000_000).SingleOrDefault()?.Severity);
}

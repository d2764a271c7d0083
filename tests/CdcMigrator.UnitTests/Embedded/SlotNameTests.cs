using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;

namespace CdcMigrator.UnitTests.Embedded;

public sealed class SlotNameTests
{
    [Fact]
    public void Slot_is_named_after_the_migration_and_no_two_migrations_share_one()
    {
        Assert.Equal("cdcm_shop_1", Slot("shop_1"));
        var others = new[] { Slot("shop-1"), Slot("Shop_1"), Slot("shop_1") };
        Assert.Equal(3, others.Distinct().Count());
        Assert.All(others, name => Assert.Matches("^[a-z0-9_]{1,63}$", name));
        Assert.Matches("^[a-z0-9_]{1,63}$", Slot(new string('A', 40)));
    }

    [Fact]
    public void Topic_is_named_as_Debezium_does() =>
        Assert.Equal("p.public.odd_table-1__", EmbeddedLog.TopicOf("p", new TableName("public", "odd table-1ü$")));

    private static string Slot(string migration) => LogStart.SlotOf(new EmbeddedLogOptions
    {
        Migration = migration,
        SourceConnection = "",
        TargetConnection = "",
        Tables = [],
        TopicPrefix = "p",
        ReadProgress = _ => throw new NotSupportedException(),
    });
}

using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Verifying;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.UnitTests.Service;

/// <summary>What was verified counts for the columns, and for the log, it was verified with.</summary>
public sealed class TableShapeTests
{
    private static readonly ComparedTable Table = new()
    {
        Source = new TableName("public", "t"),
        Target = new TableName("public", "t"),
        Columns = [new ComparedColumn("id", "id", CanonicalForm.Text) { SourceType = "int4", TargetType = "int4" }],
        Key = [0],
    };

    private static readonly TableShape Now = Of(Table, "shop.public.t", "id1");

    [Fact]
    public void Findings_of_the_same_table_and_topic_count() => Assert.Null(Now.Refuse(Of(Table, "shop.public.t", "id1").ToString()));

    [Theory]
    [InlineData("shop2.public.t", "id2", "its changes come in topic shop.public.t and came in shop2.public.t before")]
    [InlineData("shop2.public.t", "id1", "its changes come in topic shop.public.t and came in shop2.public.t before")]
    [InlineData("shop2.public.t", "", "its changes come in topic shop.public.t and came in shop2.public.t before")]
    [InlineData("shop.public.t", "id2", "topic shop.public.t was made again")]
    public void Findings_with_another_topic_count_no_more(string topic, string id, string reason) =>
        Assert.StartsWith(reason, Now.Refuse(Of(Table, topic, id).ToString()), StringComparison.Ordinal);

    [Fact]
    public void Findings_of_other_columns_another_life_of_the_embedded_log_or_from_before_topics_were_kept_count_no_more()
    {
        var other = Table with { Columns = [Table.Columns[0] with { TargetType = "int8" }] };
        foreach (var kept in (string[])[Of(other, "shop.public.t", "id1").ToString(), Of(Table, "shop.public.t", "id1", "life 1").ToString(), Now.Compared, ""])
        {
            Assert.Equal("the table is compared otherwise than before", Now.Refuse(kept));
        }
    }

    [Fact]
    public void A_topic_that_came_up_since_takes_nothing_away_and_is_to_be_read_as_a_whole()
    {
        var before = Of(Table, "shop.public.t", "");
        Assert.Null(Now.Refuse(before.ToString()));
        Assert.True(Now.HasTopicSince(before.ToString()));
        Assert.False(Now.HasTopicSince(Now.ToString()));
        Assert.False(before.HasTopicSince(before.ToString()));
        Assert.False(Now.HasTopicSince(Of(Table, "shop2.public.t", "").ToString()));
    }

    [Fact]
    public void A_topic_that_was_there_and_is_not_is_waited_for()
    {
        var fault = Assert.Throws<FaultException>(() => Of(Table, "shop.public.t", "").Refuse(Now.ToString())).Fault;
        Assert.Equal((FaultKind.Unreachable, "topic-missing"), (fault.Kind, fault.Code));
        Assert.Null(Of(Table, "shop.public.t", "", "life 1").Refuse(Of(Table, "shop.public.t", "", "life 1").ToString()));
    }

    private static TableShape Of(ComparedTable table, string topic, string id, string? incarnation = null) =>
        TableShape.Of(table, incarnation, new TopicDescription(topic, id.Length > 0, id, id.Length > 0 ? 1 : 0));
}

using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Checks;
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

    private static readonly TableMapping Mapping = new() { Source = Table.Source, Target = Table.Target };

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

    [Fact]
    public void Of_what_was_compared_under_a_file_that_maps_the_table_otherwise_a_process_takes_only_what_is_wrong_for_its_own()
    {
        var key = new RowKey("7");
        var equal = new TableState { Table = Table.Source, Covered = true, CoveredAt = DateTimeOffset.UnixEpoch, Verdict = Verdict.Equal };
        var wrong = equal with { Verdict = Verdict.Mismatch, Wrong = new Dictionary<RowKey, RowMismatch> { [key] = new(key, DifferenceKind.Missing, []) } };
        Assert.Same(equal, TableShape.Own(equal, Now.ToString(), Mapping));
        foreach (var other in (TableMapping[])[
            Mapping with { Target = new TableName("crm", "t") }, Mapping with { Exclude = new HashSet<string> { "note" } }, Mapping with { Rename = new Dictionary<string, string> { ["mail"] = "email" } },
            Mapping with { Columns = new Dictionary<string, ColumnMapping> { ["id"] = new() { As = "text" } } }])
        {
            Assert.Equal((false, Verdict.Unverified), TableShape.Own(equal, Now.ToString(), other) is var own ? (own.Covered, own.Verdict) : default);
            Assert.Equal((false, Verdict.Mismatch, 1), TableShape.Own(wrong, Now.ToString(), other) is var mine ? (mine.Covered, mine.Verdict, mine.Wrong.Count) : default);
        }

        // A file that says it in other words, and compares the same, goes on with what is known.
        Assert.Null((Now with { Asked = "other" }).Refuse(Now.ToString()));
    }

    private static TableShape Of(ComparedTable table, string topic, string id, string? incarnation = null) =>
        TableShape.Of(table, incarnation, new TopicDescription(topic, id.Length > 0, id, id.Length > 0 ? 1 : 0), CheckQuestions.Of(Mapping));
}

using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Resyncing;

namespace CdcMigrator.UnitTests.Service;

/// <summary>When a connector's offsets say that a table was copied.</summary>
public sealed class ConnectorProgressTests
{
    private static readonly TableName Table = new("public", "orders");

    [Theory]
    [InlineData("""{"lsn":100}""", true)]
    [InlineData("""{"lsn":99}""", false)]
    [InlineData("""{"lsn":100,"snapshot_completed":false}""", false)]
    [InlineData("""{"lsn":100,"snapshot_completed":true}""", true)]
    [InlineData("""{"lsn":100,"incremental_snapshot_correlation_id":"mine","incremental_snapshot_collections":"[]"}""", false)]
    [InlineData("""{"lsn":100,"incremental_snapshot_correlation_id":"later","incremental_snapshot_collections":"[{\"incremental_snapshot_collections_id\":\"public.orders\"}]"}""", false)]
    [InlineData("""{"lsn":100,"incremental_snapshot_correlation_id":"later","incremental_snapshot_collections":"[{\"incremental_snapshot_collections_id\":\"public.orders2\"}]"}""", true)]
    [InlineData("{}", false)]
    [InlineData("null", false)]
    public void A_table_is_copied_once_an_offset_behind_the_marker_no_longer_names_it(string offset, bool copied) =>
        Assert.Equal(copied, ConnectorProgress.Of([new ConnectorOffset("{}", offset)], "shop").HasCopied(Table, "mine", 100));

    [Theory]
    [InlineData("{\"lsn\":100}", false)]
    [InlineData("{\"lsn\":100,\"snapshot\":\"INITIAL\",\"snapshot_completed\":false}", true)]
    [InlineData("{\"lsn\":100,\"snapshot\":\"INITIAL\",\"snapshot_completed\":true}", false)]
    [InlineData("{\"ts_sec\":1,\"file\":\"m-bin.000042\",\"pos\":7,\"snapshot\":\"INITIAL\",\"snapshot_completed\":false}", true)]
    [InlineData("{\"ts_sec\":1,\"file\":\"m-bin.000042\",\"pos\":7,\"snapshot\":\"INITIAL\",\"snapshot_completed\":true}", false)]
    [InlineData("{\"ts_sec\":1,\"file\":\"m-bin.000042\",\"pos\":7}", false)]
    public void The_initial_snapshot_is_over_when_the_offsets_say_so_of_either_engine(string offset, bool running) =>
        Assert.Equal(running, ConnectorProgress.Of([new ConnectorOffset("{}", offset)], "shop").Initial);

    [Theory]
    [InlineData("""{"lsn":100,"lsn_commit":90}""", 100)]
    [InlineData("""{"lsn":50,"lsn_commit":90}""", 90)]
    [InlineData("""{"lsn":100}""", 0)]
    [InlineData("""{"lsn":100,"lsn_commit":90,"snapshot":"INITIAL","snapshot_completed":false}""", 0)]
    [InlineData("{}", 0)]
    public void What_is_confirmed_does_not_go_back_in_a_long_transaction_and_begins_with_the_first_commit(string offset, ulong confirmed) =>
        Assert.Equal(confirmed, ConnectorProgress.Of([new ConnectorOffset("""{"server":"shop"}""", offset)], "shop").Confirmed);

    [Fact]
    public void Offsets_of_a_former_prefix_say_nothing()
    {
        ConnectorOffset[] offsets = [new("""{"server":"old"}""", """{"lsn":900,"lsn_commit":900}"""), new("""{"server":"shop"}""", """{"lsn":100,"lsn_commit":90}""")];
        Assert.Equal(100UL, ConnectorProgress.Of(offsets, "shop").Confirmed);
        Assert.Equal(900UL, ConnectorProgress.Of(offsets, "old").Confirmed);
    }

    [Fact]
    public void Without_offsets_nothing_was_copied() => Assert.False(ConnectorProgress.Of([], "shop").HasCopied(Table, "mine", 0));
}

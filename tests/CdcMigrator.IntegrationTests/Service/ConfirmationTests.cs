using System.Net;
using System.Text;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Service.Sources;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>
/// When Kafka is known to hold everything before a marker. Debezium tells the slot of the record that was acknowledged last, though one before it, in another partition, may not be yet;
/// Connect stores an offset only once every record before it was.
/// </summary>
public sealed class ConfirmationTests(PostgresFixture postgres)
{
    private const string Slot = "cdcm_confirmed";

    [Fact]
    public async Task A_marker_counts_once_both_the_slot_and_the_stored_offset_are_behind_it()
    {
        var token = TestContext.Current.CancellationToken;
        await using var database = await postgres.CreateSourceAsync();
        await ControlSchema.PrepareSourceAsync(database.DataSource, token);
        await database.ExecuteAsync($"select pg_create_logical_replication_slot('{Slot}', 'pgoutput')");
        using var offsets = new StoredOffsets();
        using var connect = new ConnectClient(new Uri("http://connect:8083"), offsets);
        await using var source = new PostgresSource(database.ConnectionString, Slot, connect, "shop-source", TimeProvider.System);
        var marker = await source.WriteMarkerAsync("test", token);

        // Connect's word alone is none: it may be of a slot that was dropped.
        offsets.Answer = $$"""[{"partition":{"server":"shop"},"offset":{"lsn":{{marker.Lsn}},"lsn_commit":{{marker.Lsn}} } }]""";
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));

        await database.ExecuteAsync($"select pg_replication_slot_advance('{Slot}', pg_current_wal_lsn())");
        Assert.True(await source.IsConfirmedAsync(marker.Lsn, token));

        // The slot is told already, and a record before the marker still on its way.
        offsets.Answer = $$"""[{"partition":{"server":"shop"},"offset":{"lsn":{{marker.Lsn - 1}},"lsn_commit":{{marker.Lsn - 1}} } }]""";
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));

        // Nothing is stored yet, a snapshot runs, Connect does not know the connector yet.
        offsets.Answer = "[]";
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));
        offsets.Answer = $$"""[{"partition":{"server":"shop"},"offset":{"lsn":{{marker.Lsn}},"snapshot":"INITIAL","snapshot_completed":false} }]""";
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));
        offsets.Answer = null;
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));
    }

    [Fact]
    public async Task The_slot_alone_says_it_where_no_connector_stands_before_it()
    {
        var token = TestContext.Current.CancellationToken;
        await using var database = await postgres.CreateSourceAsync();
        await ControlSchema.PrepareSourceAsync(database.DataSource, token);
        await database.ExecuteAsync($"select pg_create_logical_replication_slot('{Slot}', 'pgoutput')");
        await using var source = new PostgresSource(database.ConnectionString, Slot, null, null, TimeProvider.System);
        var marker = await source.WriteMarkerAsync("test", token);
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));
        await database.ExecuteAsync($"select pg_replication_slot_advance('{Slot}', pg_current_wal_lsn())");
        Assert.True(await source.IsConfirmedAsync(marker.Lsn, token));
    }

    /// <summary>A Connect that has stored offsets of its one connector; null: it does not know it.</summary>
    private sealed class StoredOffsets : HttpMessageHandler
    {
        public string? Answer { get; set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            request.RequestUri!.AbsolutePath == "/connectors/shop-source/offsets" && Answer is { } stored
                ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent($$"""{"offsets":{{stored}}}""", Encoding.UTF8, "application/json") }
                : new HttpResponseMessage(HttpStatusCode.NotFound) { Content = new StringContent("""{"error_code":404,"message":"Connector shop-source not found"}""", Encoding.UTF8, "application/json") });
    }
}

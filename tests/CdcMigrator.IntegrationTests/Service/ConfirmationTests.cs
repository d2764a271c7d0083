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
        var time = new Clock();
        await using var source = new PostgresSource(database.ConnectionString, Slot, new StoredOffset(connect, "shop-source", "shop", time), time);
        var marker = await source.WriteMarkerAsync("test", token);

        // Connect's word alone is none: it may be of a slot that was dropped.
        offsets.Answer = $$"""[{"partition":{"server":"shop"},"offset":{"lsn":{{marker.Lsn}},"lsn_commit":{{marker.Lsn}} } }]""";
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));

        // The slot is told already, and a record before the marker still on its way; nothing is stored yet, a snapshot runs, Connect does not know the connector yet, or does not answer.
        await database.ExecuteAsync($"select pg_replication_slot_advance('{Slot}', pg_current_wal_lsn())");
        foreach (var answer in new[]
        {
            $$"""[{"partition":{"server":"shop"},"offset":{"lsn":{{marker.Lsn - 1}},"lsn_commit":{{marker.Lsn - 1}} } }]""", "[]",
            $$"""[{"partition":{"server":"shop"},"offset":{"lsn":{{marker.Lsn}},"lsn_commit":1,"snapshot":"INITIAL","snapshot_completed":false} }]""", "unknown", "away",
        })
        {
            time.Advance(TimeSpan.FromSeconds(1));
            offsets.Answer = answer;
            Assert.False(await source.IsConfirmedAsync(marker.Lsn, token), answer);
        }

        // Connect is not asked more than ten times a second, and no more for what it has said.
        offsets.Answer = $$"""[{"partition":{"server":"shop"},"offset":{"lsn":{{marker.Lsn}},"lsn_commit":{{marker.Lsn}} } }]""";
        var asked = offsets.Asked;
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(await source.IsConfirmedAsync(marker.Lsn, token));
        offsets.Answer = "away";
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await source.IsConfirmedAsync(marker.Lsn, token));
        Assert.Equal(asked + 1, offsets.Asked);
    }

    [Fact]
    public async Task The_slot_alone_says_it_where_no_connector_stands_before_it()
    {
        var token = TestContext.Current.CancellationToken;
        await using var database = await postgres.CreateSourceAsync();
        await ControlSchema.PrepareSourceAsync(database.DataSource, token);
        await database.ExecuteAsync($"select pg_create_logical_replication_slot('{Slot}', 'pgoutput')");
        await using var source = new PostgresSource(database.ConnectionString, Slot, null, TimeProvider.System);
        var marker = await source.WriteMarkerAsync("test", token);
        Assert.False(await source.IsConfirmedAsync(marker.Lsn, token));
        await database.ExecuteAsync($"select pg_replication_slot_advance('{Slot}', pg_current_wal_lsn())");
        Assert.True(await source.IsConfirmedAsync(marker.Lsn, token));
    }

    private sealed class Clock : TimeProvider
    {
        private long ticks = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => ticks += time.Ticks;

        public override long GetTimestamp() => ticks;
    }

    /// <summary>A Connect that has stored offsets of its one connector.</summary>
    private sealed class StoredOffsets : HttpMessageHandler
    {
        /// <summary>Them; <c>unknown</c>: it has no such connector; <c>away</c>.</summary>
        public string Answer { get; set; } = "unknown";

        public int Asked { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("/connectors/shop-source/offsets", request.RequestUri!.AbsolutePath);
            Asked++;
            return Answer switch
            {
                "away" => throw new HttpRequestException("refused"),
                "unknown" => Task.FromResult(Json(HttpStatusCode.NotFound, """{"error_code":404,"message":"Connector shop-source not found"}""")),
                _ => Task.FromResult(Json(HttpStatusCode.OK, $$"""{"offsets":{{Answer}}}""")),
            };
        }

        private static HttpResponseMessage Json(HttpStatusCode status, string body) => new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
    }
}

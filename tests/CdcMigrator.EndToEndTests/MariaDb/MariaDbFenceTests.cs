using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Fencing;
using CdcMigrator.TestKit.Databases;
using MySqlConnector;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>Markers in a MariaDB source.</summary>
[Collection(typeof(SteadyKit))]
public sealed class MariaDbFenceTests(MariaDbFixture mariaDb)
{
    [Fact]
    public async Task Something_lies_behind_every_marker_so_that_the_connector_of_an_idle_source_passes_it()
    {
        var token = TestContext.Current.CancellationToken;
        var server = await mariaDb.RequireAsync();
        await using var source = new MySqlDataSource(server.ConnectionString(await mariaDb.CreateAsync("select 1")));
        await FenceTable.PrepareAsync(source, token);
        for (var i = 0; i < 2; i++)
        {
            var marker = await FenceTable.WriteMarkerAsync(source, token);
            await using var connection = await MariaDbConnections.OpenAsync(source, token);
            Assert.True((await BinlogPosition.ReadAsync(connection, token))!.Value.Value > marker.Lsn);
        }
    }
}

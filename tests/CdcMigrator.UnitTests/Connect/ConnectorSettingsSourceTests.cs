using System.Net;
using CdcMigrator.Connect;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.UnitTests.Connect;

public sealed class ConnectorSettingsSourceTests
{
    private static readonly Uri Url = new("http://connect.example:8083");

    [Fact]
    public async Task The_connector_itself_is_asked_where_the_migration_names_one()
    {
        using var handler = new StubHandler(HttpStatusCode.OK, """{"topic.prefix":"shop","time.precision.mode":"microseconds"}""");
        using var client = new ConnectClient(Url, handler);
        Assert.Equal("microseconds", (await ConnectorSettingsSource.ReadAsync(Migrations.Postgres, client, default))["time.precision.mode"]);
        Assert.Equal(["GET /connectors/shop-source/config"], handler.Requests);
    }

    [Fact]
    public async Task A_connector_of_another_prefix_is_refused()
    {
        using var handler = new StubHandler(HttpStatusCode.OK, """{"topic.prefix":"other"}""");
        using var client = new ConnectClient(Url, handler);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => ConnectorSettingsSource.ReadAsync(Migrations.Postgres, client, default))).Fault;
        Assert.Equal((FaultKind.Configuration, "connector-topic-prefix"), (fault.Kind, fault.Code));
    }

    [Fact]
    public async Task Without_connect_the_file_says_what_values_mean()
    {
        var definition = Migrations.Postgres with
        {
            Connect = null,
            Log = Migrations.Postgres.Log with { Settings = new Dictionary<string, string> { ["time.precision.mode"] = "adaptive" } },
        };
        var settings = await ConnectorSettingsSource.ReadAsync(definition, null, default);
        Assert.Equal(("adaptive", "shop", "io.debezium.connector.postgresql.PostgresConnector"), (settings["time.precision.mode"], settings["topic.prefix"], settings["connector.class"]));
    }

    [Theory]
    [InlineData(SourceKind.MariaDb, "io.debezium.connector.mariadb.MariaDbConnector")]
    [InlineData(SourceKind.MySql, "io.debezium.connector.mysql.MySqlConnector")]
    public void The_engine_is_said_by_the_source(SourceKind kind, string connector) =>
        Assert.Equal(connector, ConnectorSettingsSource.FromFile(Migrations.MySql(kind) with { Connect = null })["connector.class"]);
}

using CdcMigrator.Connect;
using CdcMigrator.Connect.Checks;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.UnitTests.Connect;

public sealed class ConnectorTemplateTests
{
    [Theory]
    [InlineData("Host=db;Username=u;Password=p;Database=shop", "db", "5432", "shop")]
    [InlineData("Server=db;Port=6432;User ID=u;Pwd=p;Database=shop", "db", "6432", "shop")]
    [InlineData("Host=db:7432;Username=u;Password=p", "db", "7432", "u")]
    [InlineData("Host=[::1]:7432;Username=u;Password=p", "::1", "7432", "u")]
    [InlineData("Host=::1;Username=u;Password=p", "::1", "5432", "u")]
    public void The_connection_string_becomes_host_port_and_database(string connection, string host, string port, string database)
    {
        var settings = Render(Migrations.Postgres with { Source = new SourceSection(SourceKind.PostgreSql, connection) });
        Assert.Equal((host, port, database), (settings["database.hostname"], settings["database.port"], settings["database.dbname"]));
        Assert.Equal(("u", "p"), (settings["database.user"], settings["database.password"]));
    }

    [Theory]
    [InlineData("Host=/var/run/postgresql;Username=u", "socket")]
    [InlineData("Host=a,b;Username=u", "several hosts")]
    [InlineData("Host=a;Port=x;Username=u;Password=s3cret", "port 'x'")]
    [InlineData("Host=a", "names no user")]
    [InlineData("Host=a;Username=u;SSL Mode=Sometimes", "SSL mode 'Sometimes'")]
    [InlineData("Host='a;Password=s3cret", "not a connection string")]
    public void A_connection_string_connect_cannot_use_is_refused_without_showing_it(string connection, string why)
    {
        var fault = Assert.Throws<FaultException>(() => Render(Migrations.Postgres with { Source = new SourceSection(SourceKind.PostgreSql, connection) })).Fault;
        Assert.Equal((FaultKind.Configuration, "source-connection"), (fault.Kind, fault.Code));
        Assert.Contains(why, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", fault.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SourceKind.PostgreSql, "VerifyFull", "database.sslmode", "verify-full")]
    [InlineData(SourceKind.PostgreSql, "Require", "database.sslmode", "require")]
    [InlineData(SourceKind.MySql, "VerifyCA", "database.ssl.mode", "verify_ca")]
    [InlineData(SourceKind.MariaDb, "Required", "database.ssl.mode", "trust")]
    public void Encryption_asked_for_is_asked_for_by_the_connector_too(SourceKind kind, string mode, string setting, string value)
    {
        var settings = Render(Migrations.Postgres with { Source = new SourceSection(kind, $"Host=a;Username=u;SslMode={mode}") });
        Assert.Equal(value, settings[setting]);
    }

    [Fact]
    public void The_placeholder_is_the_same_at_every_rendering_and_another_for_another_migration()
    {
        Assert.Equal(Render(Migrations.Postgres)["unavailable.value.placeholder"], Render(Migrations.Postgres)["unavailable.value.placeholder"]);
        Assert.NotEqual(ConnectorNames.Placeholder("shop"), ConnectorNames.Placeholder("shop2"));
        Assert.Matches("^__cdcm_unavailable_[0-9a-f]{16}$", ConnectorNames.Placeholder("shop"));
    }

    [Fact]
    public void A_slot_name_has_only_characters_postgresql_allows() => Assert.Equal("cdcm_my_shop_2", ConnectorNames.Slot("My-Shop_2"));

    [Fact]
    public void Names_with_characters_of_regular_expressions_match_themselves_only()
    {
        var definition = Migrations.Postgres with { Tables = [Migrations.Table("public", "a$b"), Migrations.Table("odd.schema", "x,y (z)")] };
        var settings = Render(definition);
        Assert.Equal(@"public.a\$b,odd\.schema.x\,y \(z\),cdc_migrator.fence,cdc_migrator.signal", settings["table.include.list"]);
        Assert.DoesNotContain(ConnectorChecks.Check(settings, definition), finding => finding.Severity == Severity.Error);
        var other = definition with { Tables = [Migrations.Table("public", "aXb")] };
        Assert.Contains(ConnectorChecks.Check(settings, other), finding => finding.Code == "connector-table-not-captured");
    }

    [Fact]
    public void A_password_reference_takes_the_passwords_place()
    {
        var settings = ConnectorTemplate.Render(Migrations.Postgres, new ConnectorTemplateOptions { PasswordReference = "${env:SOURCE_PASSWORD}" });
        Assert.Equal("${env:SOURCE_PASSWORD}", settings["database.password"]);
        Assert.DoesNotContain("SOURCE_PASSWORD\"", ConnectorSettings.ToJson(settings), StringComparison.Ordinal);
    }

    [Fact]
    public void Shown_settings_hide_secrets_and_keep_references()
    {
        var shown = ConnectorSettings.Redacted(new Dictionary<string, string>
        {
            ["database.password"] = "pw",
            ["database.user"] = "migrator",
            ["value.converter.basic.auth.user.info"] = "a:b",
            ["producer.override.sasl.jaas.config"] = "… password=x",
            ["other.password"] = "${env:X}",
        });
        Assert.Equal(["***", "migrator", "***", "***", "${env:X}"], shown.Values);
    }

    [Fact]
    public void The_embedded_log_has_no_connector()
    {
        var fault = Assert.Throws<FaultException>(() => Render(Migrations.Postgres with { Log = Migrations.Postgres.Log with { Kind = LogKind.Embedded } })).Fault;
        Assert.Equal("no-connector", fault.Code);
    }

    [Fact]
    public void Avro_without_a_registry_is_refused()
    {
        var fault = Assert.Throws<FaultException>(() => Render(Migrations.Postgres with { Log = Migrations.Postgres.Log with { Format = LogFormat.Avro } })).Fault;
        Assert.Equal((FaultKind.Configuration, "no-registry"), (fault.Kind, fault.Code));
    }

    [Fact]
    public void The_registrys_address_decides_whose_avro_converter_is_used()
    {
        var apicurio = Render(Migrations.PostgresAvro("http://r:8080/apis/ccompat/v7/"));
        Assert.Equal("http://r:8080/apis/registry/v2", apicurio["value.converter.apicurio.registry.url"]);
        var confluent = Render(Migrations.PostgresAvro("http://r:8081/"));
        Assert.Equal(("io.confluent.connect.avro.AvroConverter", "http://r:8081", "true"), (
            confluent["value.converter"], confluent["value.converter.schema.registry.url"], confluent["value.converter.ignore.default.for.nullables"]));
    }

    [Fact]
    public void Topics_and_producer_let_through_what_the_lanes_accept()
    {
        var settings = Render(Migrations.Postgres with { Apply = new ApplySection { MaxRecordBytes = 1234 } });
        Assert.Equal(("1234", "1234", "2468"), (
            settings["topic.creation.default.max.message.bytes"], settings["producer.override.max.request.size"], settings["producer.override.buffer.memory"]));
    }

    [Fact]
    public void Tables_whose_order_must_hold_across_keys_get_topics_of_one_partition()
    {
        var odd = Migrations.Table("public", "Odd (1)") with { OnePartition = true };
        var settings = Render(Migrations.Postgres with { Tables = [Migrations.Table("public", "orders"), Migrations.Table("public", "log") with { OnePartition = true, Keyless = true }, odd] });
        Assert.Equal(("ordered", @"shop\.public\.log,shop\.public\.Odd__1_", "1", "4"), (
            settings["topic.creation.groups"], settings["topic.creation.ordered.include"], settings["topic.creation.ordered.partitions"], settings["topic.creation.default.partitions"]));
        Assert.DoesNotContain("topic.creation.groups", Render(Migrations.Postgres).Keys);
    }

    [Fact]
    public void Two_migrations_join_the_replicas_of_a_mariadb_under_different_ids()
    {
        var shop = Render(Migrations.MySql(SourceKind.MariaDb))["database.server.id"];
        var other = Render(Migrations.MySql(SourceKind.MariaDb) with { Name = "other" })["database.server.id"];
        Assert.NotEqual(shop, other);
        Assert.InRange(int.Parse(shop, System.Globalization.CultureInfo.InvariantCulture), 1, int.MaxValue);
    }

    private static IReadOnlyDictionary<string, string> Render(MigrationDefinition definition) => ConnectorTemplate.Render(definition);
}

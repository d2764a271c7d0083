using CdcMigrator.Debezium;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.UnitTests.Debezium;

public sealed class DebeziumSettingsTests
{
    [Fact]
    public void Missing_settings_are_Debeziums_defaults()
    {
        var settings = Read();

        Assert.Equal(TimePrecisionMode.Adaptive, settings.Time);
        Assert.Equal(DecimalHandlingMode.Precise, settings.Decimals);
        Assert.Equal(BinaryHandlingMode.Bytes, settings.Binary);
        Assert.Equal(IntervalHandlingMode.Numeric, settings.Intervals);
        Assert.Equal(HstoreHandlingMode.Json, settings.Hstore);
        Assert.Equal("__debezium_unavailable_value", settings.UnavailablePlaceholder);
        Assert.Equal("__debezium-heartbeat.shop", settings.HeartbeatTopic);
        Assert.Equal("shop.transaction", settings.TransactionTopic);
        Assert.Equal(new TableName("cdc_migrator", "fence"), settings.FenceTable);
        Assert.Null(settings.SignalTable);
        Assert.Null(settings.NullsBecomeDefaults);
    }

    [Fact]
    public void MariaDB_has_another_default_for_times() =>
        Assert.Equal(TimePrecisionMode.AdaptiveTimeMicroseconds, Read(("connector.class", "io.debezium.connector.mariadb.MariaDbConnector")).Time);

    [Theory]
    [InlineData("time.precision.mode")]
    [InlineData("decimal.handling.mode")]
    [InlineData("binary.handling.mode")]
    [InlineData("interval.handling.mode")]
    [InlineData("hstore.handling.mode")]
    [InlineData("field.name.adjustment.mode")]
    public void An_unknown_mode_is_refused_by_name(string key)
    {
        var fault = Assert.Throws<FaultException>(() => Read((key, "fancy"))).Fault;

        Assert.Equal(FaultKind.Configuration, fault.Kind);
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
        Assert.Contains("fancy", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_topic_prefix_is_refused() =>
        Assert.Equal(FaultKind.Configuration, Assert.Throws<FaultException>(() => DebeziumSettings.FromConnector(new Dictionary<string, string>())).Fault.Kind);

    [Theory]
    [InlineData("io.apicurio.registry.utils.converter.AvroConverter", null, null, true)]
    [InlineData("io.confluent.connect.avro.AvroConverter", null, null, true)]
    [InlineData("io.confluent.connect.avro.AvroConverter", "value.converter.ignore.default.for.nullables", "true", false)]
    [InlineData("org.apache.kafka.connect.json.JsonConverter", null, null, true)]
    [InlineData("org.apache.kafka.connect.json.JsonConverter", "value.converter.replace.null.with.default", "false", false)]
    public void Whether_NULLs_become_defaults_follows_from_the_converter(string converter, string? key, string? value, bool expected) =>
        Assert.Equal(expected, Read([("value.converter", converter), .. key is null ? [] : new[] { (key, value!) }]).NullsBecomeDefaults);

    [Theory]
    [InlineData("public.debezium_signal")]
    [InlineData("shop.public.debezium_signal")]
    public void The_signal_table_is_found_with_and_without_its_database(string collection) =>
        Assert.Equal(new TableName("public", "debezium_signal"), Read(("signal.data.collection", collection)).SignalTable);

    private static DebeziumSettings Read(params (string Key, string Value)[] settings) =>
        DebeziumSettings.FromConnector(new Dictionary<string, string>(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))) { ["topic.prefix"] = "shop" });
}

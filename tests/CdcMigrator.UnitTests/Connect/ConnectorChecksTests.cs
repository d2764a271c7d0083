using CdcMigrator.Connect.Checks;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.UnitTests.Connect;

public sealed class ConnectorChecksTests
{
    /// <summary>Setting, value (empty: not set), code, severity.</summary>
    public static TheoryData<string, string, string, Severity> PostgresFaults => new()
    {
        { "decimal.handling.mode", "double", "connector-decimal-handling-mode", Severity.Warning },
        { "decimal.handling.mode", "precise", "connector-decimal-handling-mode", Severity.Error },
        { "decimal.handling.mode", "", "connector-decimal-handling-mode", Severity.Error },
        { "time.precision.mode", "connect", "connector-time-precision-mode", Severity.Error },
        { "time.precision.mode", "isostring", "connector-time-precision-mode", Severity.Error },
        { "time.precision.mode", "nanoseconds", "connector-time-precision-mode", Severity.Error },
        { "time.precision.mode", "structured", "connector-time-precision-mode", Severity.Error },
        { "time.precision.mode", "adaptive", "connector-time-precision-mode", Severity.Warning },
        { "time.precision.mode", "", "connector-time-precision-mode", Severity.Warning },
        { "binary.handling.mode", "base64", "connector-binary-handling-mode", Severity.Warning },
        { "binary.handling.mode", "base64-url-safe", "connector-binary-handling-mode", Severity.Warning },
        { "interval.handling.mode", "", "connector-interval-handling-mode", Severity.Warning },
        { "include.unknown.datatypes", "", "connector-include-unknown-datatypes", Severity.Warning },
        { "event.converting.failure.handling.mode", "fail", "connector-event-converting-failure-handling-mode", Severity.Warning },
        { "event.converting.failure.handling.mode", "skip", "connector-event-converting-failure-handling-mode", Severity.Warning },
        { "event.processing.failure.handling.mode", "warn", "connector-event-processing-failure-handling-mode", Severity.Error },
        { "errors.tolerance", "all", "connector-errors-tolerance", Severity.Error },
        { "skipped.operations", "", "connector-skipped-operations", Severity.Error },
        { "skipped.operations", "d", "connector-skipped-operations", Severity.Error },
        { "heartbeat.interval.ms", "", "connector-heartbeat-interval-ms", Severity.Error },
        { "heartbeat.interval.ms", "0", "connector-heartbeat-interval-ms", Severity.Error },
        { "heartbeat.interval.ms", "60000", "connector-heartbeat-interval-ms", Severity.Error },
        { "heartbeat.action.query", "", "connector-heartbeat-action-query", Severity.Warning },
        { "poll.interval.ms", "5000", "connector-poll-interval-ms", Severity.Warning },
        { "unavailable.value.placeholder", "", "connector-unavailable-value-placeholder", Severity.Warning },
        { "snapshot.mode", "initial_only", "connector-snapshot-mode", Severity.Error },
        { "snapshot.mode", "no_data", "connector-snapshot-mode", Severity.Warning },
        { "snapshot.isolation.mode", "read_committed", "connector-snapshot-isolation-mode", Severity.Error },
        { "snapshot.select.statement.overrides", "public.orders", "connector-snapshot-select-statement-overrides", Severity.Error },
        { "snapshot.include.collection.list", "public.orders", "connector-snapshot-include-collection-list", Severity.Error },
        { "plugin.name", "", "connector-plugin-name", Severity.Error },
        { "plugin.name", "decoderbufs", "connector-plugin-name", Severity.Error },
        { "publication.autocreate.mode", "", "connector-publication-autocreate-mode", Severity.Error },
        { "publication.autocreate.mode", "no_tables", "connector-publication-autocreate-mode", Severity.Error },
        { "slot.name", "", "connector-slot-name", Severity.Warning },
        { "slot.name", "debezium", "connector-slot-name", Severity.Warning },
        { "publish.via.partition.root", "false", "connector-publish-via-partition-root", Severity.Warning },
        { "slot.drop.on.stop", "true", "connector-slot-drop-on-stop", Severity.Error },
        { "lsn.flush.mode", "manual", "connector-lsn-flush-mode", Severity.Error },
        { "flush.lsn.source", "false", "connector-flush-lsn-source", Severity.Error },
        { "topic.prefix", "other", "connector-topic-prefix", Severity.Error },
        { "database.dbname", "other", "connector-database-dbname", Severity.Error },
        { "connector.class", "io.debezium.connector.mysql.MySqlConnector", "connector-connector-class", Severity.Error },
        { "topic.delimiter", "_", "connector-topic-delimiter", Severity.Error },
        { "topic.naming.strategy", "io.debezium.schema.DefaultUnicodeTopicNamingStrategy", "connector-topic-naming-strategy", Severity.Error },
        { "message.key.columns", "public.orders:customer_id", "connector-message-key-columns", Severity.Error },
        { "column.mask.hash.v2.SHA-256.with.salt.x", "public.customers.mail", "connector-column-mask", Severity.Error },
        { "column.truncate.to.20.chars", "public.customers.name", "connector-column-mask", Severity.Error },
        { "column.exclude.list", "public.customers.mail", "connector-column-exclude-list", Severity.Warning },
        { "column.include.list", "public.customers.id", "connector-column-include-list", Severity.Warning },
        { "converters", "isbn", "connector-converters", Severity.Error },
        { "transforms", "unwrap", "connector-transforms", Severity.Error },
        { "post.processors", "shrink", "connector-post-processors", Severity.Error },
        { "exactly.once.support", "required", "connector-exactly-once-support", Severity.Warning },
        { "header.converter", "org.apache.kafka.connect.storage.StringConverter", "connector-header-converter", Severity.Error },
        { "producer.override.acks", "1", "connector-producer-override-acks", Severity.Error },
        { "producer.override.max.in.flight.requests.per.connection", "5", "connector-producer-override-max-in-flight-requests-per-connection", Severity.Error },
        { "topic.creation.default.cleanup.policy", "compact", "connector-topic-creation-default-cleanup-policy", Severity.Error },
        { "topic.creation.big.cleanup.policy", "compact,delete", "connector-topic-creation-cleanup-policy", Severity.Error },
        { "key.converter", "", "connector-key-converter", Severity.Error },
        { "value.converter", "io.debezium.converters.CloudEventsConverter", "connector-value-converter", Severity.Error },
        { "value.converter", "io.confluent.connect.avro.AvroConverter", "connector-value-converter", Severity.Error },
        { "value.converter.replace.null.with.default", "", "connector-value-converter-replace-null-with-default", Severity.Warning },
        { "key.converter.replace.null.with.default", "true", "connector-key-converter-replace-null-with-default", Severity.Warning },
    };

    public static TheoryData<string, string, string, Severity> MySqlFaults => new()
    {
        { "event.converting.failure.handling.mode", "", "connector-event-converting-failure-handling-mode", Severity.Error },
        { "column.exclude.list", "shop.customers.mail", "connector-column-exclude-list", Severity.Error },
        { "decimal.handling.mode", "double", "connector-decimal-handling-mode", Severity.Error },
        { "bigint.unsigned.handling.mode", "", "connector-bigint-unsigned-handling-mode", Severity.Error },
        { "enable.time.adjuster", "", "connector-enable-time-adjuster", Severity.Error },
        { "inconsistent.schema.handling.mode", "skip", "connector-inconsistent-schema-handling-mode", Severity.Error },
        { "event.deserialization.failure.handling.mode", "warn", "connector-event-deserialization-failure-handling-mode", Severity.Error },
    };

    public static TheoryData<string, string, string, Severity> AvroFaults => new()
    {
        { "value.converter.apicurio.registry.headers.enabled", "", "connector-value-converter-apicurio-registry-headers-enabled", Severity.Error },
        { "key.converter.apicurio.registry.as-confluent", "false", "connector-key-converter-apicurio-registry-as-confluent", Severity.Error },
        { "value.converter.apicurio.registry.use-id", "globalId", "connector-value-converter-apicurio-registry-use-id", Severity.Error },
        { "value.converter", ConverterSettings.JsonConverter, "connector-value-converter", Severity.Error },
    };

    [Theory]
    [MemberData(nameof(PostgresFaults))]
    public void A_setting_of_a_postgresql_connector_that_would_go_wrong_is_found(string setting, string value, string code, Severity severity) =>
        Finds(Migrations.Postgres, setting, value, code, severity);

    [Theory]
    [MemberData(nameof(MySqlFaults))]
    public void A_setting_of_a_mariadb_connector_that_would_go_wrong_is_found(string setting, string value, string code, Severity severity) =>
        Finds(Migrations.MySql(SourceKind.MariaDb), setting, value, code, severity);

    [Theory]
    [MemberData(nameof(AvroFaults))]
    public void A_setting_of_apicurios_converter_that_would_go_wrong_is_found(string setting, string value, string code, Severity severity) =>
        Finds(Migrations.PostgresAvro("http://r:8080/apis/ccompat/v7"), setting, value, code, severity);

    [Fact]
    public void A_confluent_converter_that_writes_defaults_for_nulls_is_found() =>
        Finds(Migrations.PostgresAvro("http://r:8081"), "value.converter.ignore.default.for.nullables", "", "connector-value-converter-ignore-default-for-nullables", Severity.Warning);

    [Fact]
    public void With_schemas_adaptive_times_are_right_and_precise_numerics_only_have_limits()
    {
        var settings = Settings(Migrations.Postgres, ("time.precision.mode", "adaptive"), ("decimal.handling.mode", "precise"), ("value.converter.schemas.enable", "true"));
        Assert.Equal([("connector-decimal-handling-mode", Severity.Warning)], ConnectorChecks.Check(settings, Migrations.Postgres).Select(finding => (finding.Code, finding.Severity)));
    }

    [Fact]
    public void A_table_missing_in_the_include_list_is_found_by_name()
    {
        var settings = Settings(Migrations.Postgres, ("table.include.list", "public.customers,cdc_migrator.fence"));
        var finding = Assert.Single(ConnectorChecks.Check(settings, Migrations.Postgres));
        Assert.Equal(("connector-table-not-captured", "public.orders"), (finding.Code, finding.Table));
    }

    [Theory]
    [InlineData("public.customers,public.orders")]
    [InlineData("public.*")]
    public void A_fence_table_that_is_not_captured_is_found(string tables)
    {
        var finding = Assert.Single(ConnectorChecks.Check(Settings(Migrations.Postgres, ("table.include.list", tables)), Migrations.Postgres));
        Assert.Equal(("connector-fence-not-captured", Severity.Error), (finding.Code, finding.Severity));
    }

    [Theory]
    [InlineData("table.include.list", "PUBLIC.(orders|customers), cdc_migrator[.]fence")]
    [InlineData("table.include.list", "")]
    public void Lists_are_read_as_debezium_reads_them(string setting, string value) =>
        Assert.Empty(ConnectorChecks.Check(Settings(Migrations.Postgres, (setting, value)), Migrations.Postgres));

    [Theory]
    [InlineData("table.exclude.list", "public.ord.*", "connector-table-not-captured")]
    [InlineData("schema.include.list", "public", "connector-fence-not-captured")]
    [InlineData("schema.exclude.list", "cdc_.*", "connector-fence-not-captured")]
    public void Schemas_and_exclusions_count_too(string setting, string value, string code)
    {
        var settings = Settings(Migrations.Postgres, ("table.include.list", ""), (setting, value));
        Assert.Equal(code, Assert.Single(ConnectorChecks.Check(settings, Migrations.Postgres)).Code);
    }

    [Fact]
    public void A_mariadb_database_that_is_not_captured_leaves_out_its_tables()
    {
        var definition = Migrations.MySql(SourceKind.MariaDb);
        var findings = ConnectorChecks.Check(Settings(definition, ("database.include.list", "other")), definition);
        Assert.Equal(["shop.customers", "shop.orders", "cdc_migrator.fence"], findings.Select(finding => finding.Table));
    }

    [Fact]
    public void A_pattern_that_cannot_be_read_is_said_and_accuses_no_table()
    {
        var finding = Assert.Single(ConnectorChecks.Check(Settings(Migrations.Postgres, ("table.include.list", "public.(orders")), Migrations.Postgres));
        Assert.Equal(("connector-table-include-list", Severity.Warning), (finding.Code, finding.Severity));
    }

    [Fact]
    public void A_column_that_the_migration_leaves_out_or_reads_again_may_be_hidden()
    {
        var definition = Migrations.Postgres with { Tables = [Migrations.Table("public", "orders"), Migrations.Table("public", "customers") with { Exclude = new HashSet<string> { "mail" } }] };
        Assert.Empty(ConnectorChecks.Check(Settings(definition, ("column.exclude.list", @"public\.customers\.mail")), definition));
        definition = Migrations.Postgres with { Tables = [Migrations.Table("public", "orders"), Migrations.Table("public", "customers") with { Reselect = new HashSet<string> { "mail" } }] };
        Assert.Equal("public.customers.mail", ConnectorTemplate.Render(definition)["column.exclude.list"]);
        Assert.Empty(ConnectorChecks.Check(Settings(definition, ("column.exclude.list", @"public\.customers\.mail")), definition));
    }

    [Fact]
    public void A_transform_that_only_adds_headers_is_fine() => Assert.Empty(ConnectorChecks.Check(
        Settings(Migrations.Postgres, ("transforms", "trace"), ("transforms.trace.type", "io.debezium.transforms.tracing.ActivateTracingSpan")), Migrations.Postgres));

    [Fact]
    public void A_processor_that_reads_columns_again_is_a_warning()
    {
        var settings = Settings(Migrations.Postgres, ("post.processors", "reread"), ("reread.type", "io.debezium.processors.reselect.ReselectColumnsPostProcessor"));
        Assert.Equal(("connector-post-processors", Severity.Warning), Assert.Single(ConnectorChecks.Check(settings, Migrations.Postgres)) is var finding ? (finding.Code, finding.Severity) : default);
    }

    [Fact]
    public void A_flattening_transform_is_named_with_its_effect()
    {
        var settings = Settings(Migrations.Postgres, ("transforms", "unwrap"), ("transforms.unwrap.type", "io.debezium.transforms.ExtractNewRecordState"));
        var finding = Assert.Single(ConnectorChecks.Check(settings, Migrations.Postgres));
        Assert.Contains("'unwrap' (io.debezium.transforms.ExtractNewRecordState): it may flatten records", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3.6.0.Final", "4", 1)]
    [InlineData("3.6.1.Final", "2", 1)]
    [InlineData("3.6.1.Final", "1", 0)]
    [InlineData("3.6.3.Final", "4", 0)]
    [InlineData(null, "4", 0)]
    public void Parallel_snapshots_are_refused_on_the_versions_that_lose_rows(string? version, string threads, int findings) =>
        Assert.Equal(findings, ConnectorChecks.Check(Settings(Migrations.Postgres, ("snapshot.max.threads", threads)), Migrations.Postgres, version).Count);

    [Fact]
    public void Several_requests_in_flight_are_fine_with_idempotence() => Assert.Empty(ConnectorChecks.Check(
        Settings(Migrations.Postgres, ("producer.override.max.in.flight.requests.per.connection", "5"), ("producer.override.enable.idempotence", "true")), Migrations.Postgres));

    [Fact]
    public void A_connector_with_nothing_but_its_address_has_an_error_for_each_default_that_loses_data()
    {
        var settings = new Dictionary<string, string>
        {
            ["connector.class"] = PostgresSettings.ConnectorClass,
            ["topic.prefix"] = "shop",
            ["database.dbname"] = "shop",
        };
        var codes = ConnectorChecks.Check(settings, Migrations.Postgres).Where(finding => finding.Severity == Severity.Error).Select(finding => finding.Code).Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "connector-heartbeat-interval-ms", "connector-key-converter", "connector-plugin-name", "connector-publication-autocreate-mode", "connector-skipped-operations", "connector-value-converter",
            ],
            codes);
    }

    [Fact]
    public void A_message_names_setting_value_effect_and_the_value_to_set()
    {
        var finding = Assert.Single(ConnectorChecks.Check(Settings(Migrations.Postgres, ("skipped.operations", "")), Migrations.Postgres));
        Assert.Equal("Connector setting skipped.operations is not set, which means 't': the operations it lists never reach the target; by default a TRUNCATE of the source is lost", finding.Message);
        Assert.Equal("Set skipped.operations to 'none'", finding.Fix);
    }

    [Theory]
    [InlineData("RUNNING", "RUNNING", 0)]
    [InlineData("RUNNING", "FAILED", 1)]
    [InlineData("PAUSED", "PAUSED", 1)]
    [InlineData("RUNNING", null, 1)]
    public void A_connector_that_does_not_run_is_an_error(string connector, string? task, int findings)
    {
        var status = new ConnectorStatus("shop-source", connector, "w", task is null ? [] : [new ConnectorTask(0, task, "w", "")]);
        Assert.Equal(findings, ConnectorChecks.Check(status).Count(finding => finding.Severity == Severity.Error));
    }

    private static void Finds(MigrationDefinition definition, string setting, string value, string code, Severity severity)
    {
        var finding = Assert.Single(ConnectorChecks.Check(Settings(definition, (setting, value)), definition), finding => finding.Code == code && finding.Severity == severity);
        Assert.Contains(value.Length == 0 ? "not" : value, finding.Message, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Fix);
    }

    /// <summary>The faithful settings with some changed, or removed where the value is empty.</summary>
    private static Dictionary<string, string> Settings(MigrationDefinition definition, params (string Name, string Value)[] changes)
    {
        var settings = new Dictionary<string, string>(ConnectorTemplate.Render(definition));
        foreach (var (name, value) in changes)
        {
            settings.Remove(name);
            if (value.Length > 0)
            {
                settings[name] = value;
            }
        }

        return settings;
    }
}

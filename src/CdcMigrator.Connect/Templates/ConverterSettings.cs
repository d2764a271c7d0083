using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Connect.Templates;

/// <summary>How keys and values are serialised: JSON, or Avro in Confluent's wire format by the converter that suits the registry.</summary>
internal static class ConverterSettings
{
    public const string JsonConverter = "org.apache.kafka.connect.json.JsonConverter";
    public const string ApicurioAvro = "io.apicurio.registry.utils.converter.AvroConverter";
    public const string ConfluentAvro = "io.confluent.connect.avro.AvroConverter";
    private const string ApicurioCompatible = "/apis/ccompat";

    public static void Write(OrderedDictionary<string, string> settings, LogSection log, bool jsonSchemas)
    {
        if (log.Format == LogFormat.Avro)
        {
            // Reversible, other than "avro", which makes a_b of both "a b" and "a-b".
            settings["schema.name.adjustment.mode"] = "avro";
            settings["field.name.adjustment.mode"] = "avro_unicode";
        }

        foreach (var side in new[] { "key.converter", "value.converter" })
        {
            if (log.Format == LogFormat.Json)
            {
                settings[side] = JsonConverter;
                settings[$"{side}.schemas.enable"] = jsonSchemas ? "true" : "false";
                settings[$"{side}.replace.null.with.default"] = "false";
            }
            else
            {
                Avro(settings, side, log.SchemaRegistry);
            }
        }
    }

    private static void Avro(OrderedDictionary<string, string> settings, string side, Uri? registry)
    {
        if (registry is null)
        {
            throw new FaultException(FaultKind.Configuration, "no-registry", "log.format is avro, but log.schemaRegistry is not set", "Set log.schemaRegistry to the registry's address");
        }

        var address = registry.ToString().TrimEnd('/');
        var compatible = address.IndexOf(ApicurioCompatible, StringComparison.Ordinal);
        if (compatible < 0)
        {
            settings[side] = ConfluentAvro;
            settings[$"{side}.schema.registry.url"] = address;
            settings[$"{side}.ignore.default.for.nullables"] = "true";
            return;
        }

        // Apicurio's converter speaks its own API, and Confluent's wire format only with the last three together.
        settings[side] = ApicurioAvro;
        settings[$"{side}.apicurio.registry.url"] = address[..compatible] + "/apis/registry/v2";
        settings[$"{side}.apicurio.registry.auto-register"] = "true";
        settings[$"{side}.apicurio.registry.find-latest"] = "false";
        settings[$"{side}.apicurio.registry.headers.enabled"] = "false";
        settings[$"{side}.apicurio.registry.as-confluent"] = "true";
        settings[$"{side}.apicurio.registry.use-id"] = "contentId";
    }
}

using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Connect.Checks;

/// <summary>Whether keys and values are serialised the way the service decodes them, and without changing NULLs.</summary>
internal static class ConverterChecks
{
    private static readonly string[] Sides = ["key.converter", "value.converter"];

    public static IEnumerable<Finding> Check(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition) =>
        [.. Sides.SelectMany(side => Side(settings, definition, side)), .. SchemalessModes(settings)];

    /// <summary>Whether values carry no schema, so that the connector's settings alone say what they mean.</summary>
    public static bool IsSchemaless(IReadOnlyDictionary<string, string> settings) =>
        Value(settings, "value.converter") == ConverterSettings.JsonConverter && Is(settings, "value.converter.schemas.enable", "false");

    private static IEnumerable<Finding> Side(IReadOnlyDictionary<string, string> settings, MigrationDefinition definition, string side)
    {
        var converter = Value(settings, side);
        var wanted = definition.Log.Format;
        return (converter, wanted) switch
        {
            ("", _) => [Error(side, $"Connector setting {side} is not set: the workers' own converter applies, which cannot be checked and may change", $"Set {side} to '{Wanted(wanted)}'")],
            (ConverterSettings.JsonConverter, LogFormat.Json) => Json(settings, side, definition.Source.Kind),
            (ConverterSettings.ApicurioAvro, LogFormat.Avro) => Apicurio(settings, side),
            (ConverterSettings.ConfluentAvro, LogFormat.Avro) => Confluent(settings, side, definition.Source.Kind),
            (ConverterSettings.JsonConverter, LogFormat.Avro) or (ConverterSettings.ApicurioAvro or ConverterSettings.ConfluentAvro, LogFormat.Json) =>
                [Error(side, $"Connector setting {side} is '{converter}', but log.format is {Name(wanted)}", $"Set {side} to '{Wanted(wanted)}', or log.format to what the connector writes")],
            _ => [Error(side, $"Connector setting {side} is '{converter}', whose records cannot be read", $"Set {side} to '{Wanted(wanted)}'")],
        };
    }

    private static IEnumerable<Finding> Json(IReadOnlyDictionary<string, string> settings, string side, SourceKind source)
    {
        if (!Is(settings, $"{side}.replace.null.with.default", "false"))
        {
            yield return NullBecomesDefault(settings, $"{side}.replace.null.with.default", "false", source);
        }
    }

    private static IEnumerable<Finding> Confluent(IReadOnlyDictionary<string, string> settings, string side, SourceKind source)
    {
        if (!Is(settings, $"{side}.ignore.default.for.nullables", "true"))
        {
            yield return NullBecomesDefault(settings, $"{side}.ignore.default.for.nullables", "true", source);
        }
    }

    private static IEnumerable<Finding> Apicurio(IReadOnlyDictionary<string, string> settings, string side)
    {
        var prefix = $"{side}.apicurio.registry";
        foreach (var (name, value) in new[] { ("headers.enabled", "false"), ("as-confluent", "true"), ("use-id", "contentId") })
        {
            if (!Is(settings, $"{prefix}.{name}", value))
            {
                yield return Wrong(settings, $"{prefix}.{name}", value, "records are not in Confluent's wire format (magic byte, then the content id), which takes all three settings together");
            }
        }

        if (side == "value.converter")
        {
            yield return new Finding(
                Severity.Warning,
                "connector-avro-null-default",
                $"Connector setting {side} is Apicurio's, which writes an explicit NULL of a nullable column with a default as the default and has no setting against it; "
                + "such columns are read from the source again, row by row",
                "For speed use JSON, or Confluent's converter with ignore.default.for.nullables=true");
        }
    }

    /// <summary>Without schemas a number does not say what it is: the mode must say it alone.</summary>
    private static IEnumerable<Finding> SchemalessModes(IReadOnlyDictionary<string, string> settings)
    {
        if (!IsSchemaless(settings))
        {
            yield break;
        }

        if (Value(settings, "decimal.handling.mode") is "" or "precise")
        {
            yield return Wrong(settings, "decimal.handling.mode", "string", "a numeric is written as bytes without its scale, and JSON without schemas does not say it");
        }

        if (Value(settings, "time.precision.mode") is "" or "adaptive" or "adaptive_time_microseconds")
        {
            yield return Wrong(
                settings,
                "time.precision.mode",
                "microseconds",
                "values are milliseconds or microseconds by the source column's digits, and JSON without schemas does not say which: right only while every target column has the same digits as its source",
                Severity.Warning);
        }
    }

    /// <summary>Where the source can be read by key, nullable columns with a default are read again; else their NULLs are lost.</summary>
    private static Finding NullBecomesDefault(IReadOnlyDictionary<string, string> settings, string name, string wanted, SourceKind source) => source == SourceKind.PostgreSql
        ? Wrong(settings, name, wanted, "an explicit NULL of a nullable column with a default is written as the default; such columns are read from the source again, row by row", Severity.Warning)
        : Wrong(settings, name, wanted, "an explicit NULL of a column with a default is written as the default");

    private static Finding Wrong(IReadOnlyDictionary<string, string> settings, string name, string wanted, string why, Severity severity = Severity.Error)
    {
        var how = Value(settings, name) is { Length: > 0 } value ? $"is '{value}'" : "is not set";
        return new Finding(severity, SettingRule.CodeOf(name), $"Connector setting {name} {how}: {why}", $"Set {name} to '{wanted}'");
    }

    private static Finding Error(string setting, string message, string fix) => new(Severity.Error, SettingRule.CodeOf(setting), message, fix);

    private static string Wanted(LogFormat format) => format == LogFormat.Json ? ConverterSettings.JsonConverter : ConverterSettings.ConfluentAvro;

    private static string Name(LogFormat format) => format == LogFormat.Json ? "json" : "avro";

    private static bool Is(IReadOnlyDictionary<string, string> settings, string name, string value) => Value(settings, name).Equals(value, StringComparison.OrdinalIgnoreCase);

    private static string Value(IReadOnlyDictionary<string, string> settings, string name) => settings.TryGetValue(name, out var value) ? value.Trim() : "";
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Api;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CdcMigrator.Service.Configuration;

/// <summary>Writes a definition as the file it amounts to: every default in its place, references expanded, secrets redacted.</summary>
public static class EffectiveFile
{
    /// <summary>The file's text. Loads again, but for the redacted secrets.</summary>
    public static string Render(MigrationDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        using var writer = new StringWriter { NewLine = "\n" };
        new YamlStream(new YamlDocument(Root(definition))).Save(writer, assignAnchors: false);
        return writer.ToString().Replace("\r", "", StringComparison.Ordinal).TrimEnd('\n', '.') + "\n";
    }

    /// <summary>The same as JSON.</summary>
    public static string RenderJson(MigrationDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return Json(Root(definition))!.ToJsonString(ApiJson.Options);
    }

    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, Json(pair.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Json)]),
        YamlScalarNode { Value: { } text } => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number) : JsonValue.Create(text),
        _ => null,
    };

    private static YamlMappingNode Root(MigrationDefinition definition)
    {
        var root = Map(
            ("migration", definition.Name),
            ("source", Map(("kind", Kind(definition.Source.Kind)), ("connection", Redaction.Connection(definition.Source.Connection)))),
            ("target", Map(("connection", Redaction.Connection(definition.Target.Connection)))),
            ("log", Log(definition.Log)));
        if (definition.Connect is { } connect)
        {
            root.Add("connect", Map(("url", Redaction.Url(connect.Url)), ("connector", connect.Connector), ("stalledAfter", Durations.Format(connect.StalledAfter)), ("maxRestarts", Text(connect.MaxRestarts))));
        }

        root.Add("tables", new YamlSequenceNode(definition.Tables.Select(table => Map(
            ("source", table.Source.ToString()),
            ("target", table.Target.ToString()),
            ("exclude", List(table.Exclude.Order(StringComparer.Ordinal))),
            ("reselect", List(table.Reselect.Order(StringComparer.Ordinal))),
            ("rename", Settings(table.Rename)),
            ("columns", Columns(table.Columns)),
            ("keyless", table.Keyless ? "true" : "false"),
            ("onePartition", table.OnePartition ? "true" : "false")))));
        root.Add("rules", new YamlSequenceNode(definition.Rules.Select(rule => Map(
            ("name", rule.Name), ("source", rule.Source), ("target", rule.Target), ("tolerance", Text(rule.Tolerance))))));
        root.Add("benchmarks", new YamlSequenceNode(definition.Benchmarks.Select(benchmark => Map(
            ("name", benchmark.Name), ("sql", benchmark.Source), ("target", benchmark.Target), ("runs", Text(benchmark.Runs)), ("maxRatio", Text(benchmark.MaxRatio))))));
        root.Add("apply", Apply(definition.Apply));
        root.Add("verify", Verify(definition.Verify));
        root.Add("cutover", EffectiveCutover.Of(definition));
        root.Add("service", Map(("url", definition.Service.Url.OriginalString)));
        return root;
    }

    private static YamlMappingNode Columns(IReadOnlyDictionary<string, ColumnMapping> columns) =>
        new(columns.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create<YamlNode, YamlNode>(Quoted(new YamlScalarNode(pair.Key)), Column(pair.Value))))
        {
            Style = columns.Count == 0 ? YamlDotNet.Core.Events.MappingStyle.Flow : YamlDotNet.Core.Events.MappingStyle.Block,
        };

    /// <summary>Without what depends on the target's column and is not said.</summary>
    private static YamlMappingNode Column(ColumnMapping column)
    {
        var section = Map(
            ("nulCharacter", column.NulCharacter.ToString().ToLowerInvariant()),
            ("nonBoolean", column.NonZeroIsTrue ? "true" : "refuse"),
            ("uuidFormat", JsonNamingPolicy.CamelCase.ConvertName(column.UuidFormat.ToString())),
            ("labels", Settings(column.Labels)));
        foreach (var (key, value) in new[] { ("as", column.As), ("zeroDate", column.ZeroDate.ToString()), ("partialDate", column.PartialDate.ToString()) })
        {
            if (value.Length > 0)
            {
                section.Add(key, Quoted(new YamlScalarNode(value)));
            }
        }

        return section;
    }

    private static YamlMappingNode Log(LogSection log)
    {
        var section = Map(("kind", log.Kind == LogKind.Kafka ? "kafka" : "embedded"));
        if (log.Kind == LogKind.Kafka)
        {
            section.Add("bootstrapServers", log.BootstrapServers);
        }

        section.Add("topicPrefix", log.TopicPrefix);
        section.Add("format", log.Format == LogFormat.Json ? "json" : "avro");
        if (log.SchemaRegistry is { } registry)
        {
            section.Add("schemaRegistry", Redaction.Url(registry));
        }

        section.Add("group", log.Group);
        section.Add("settings", Settings(log.Settings));
        section.Add("client", Settings(log.Client));
        return section;
    }

    private static YamlMappingNode Apply(ApplySection apply) => Map(
        ("writers", Text(apply.Writers)),
        ("batchChanges", Text(apply.BatchChanges)),
        ("batchBytes", Sizes.Format(apply.BatchBytes)),
        ("laneBytes", Sizes.Format(apply.LaneBytes)),
        ("totalBytes", Sizes.Format(apply.TotalBytes)),
        ("maxRecordBytes", Sizes.Format(apply.MaxRecordBytes)),
        ("takeoverTimeout", Durations.Format(apply.TakeoverTimeout)),
        ("uniqueWait", Durations.Format(apply.UniqueWait)),
        ("drainTimeout", Durations.Format(apply.DrainTimeout)),
        ("onPoison", apply.OnPoison == PoisonPolicy.Halt ? "halt" : "deadLetter"),
        ("deadLetterCount", Text(apply.DeadLetterCount)),
        ("deadLetterBytes", Sizes.Format(apply.DeadLetterBytes)));

    private static YamlMappingNode Verify(VerifySection verify) => Map(
        ("chunkTime", Durations.Format(verify.ChunkTime)),
        ("tablesAtOnce", Text(verify.TablesAtOnce)),
        ("dirtyKeys", Text(verify.DirtyKeys)),
        ("pauseAboveLag", Durations.Format(verify.PauseAboveLag)),
        ("checkInterval", Durations.Format(verify.CheckInterval)),
        ("ruleTimeout", Durations.Format(verify.RuleTimeout)),
        ("countTolerance", Text(verify.CountTolerance)),
        ("sampleAbove", Text(verify.SampleAbove)),
        ("sampleConfidence", Text(verify.SampleConfidence)),
        ("sampleErrorRate", Text(verify.SampleErrorRate)));

    private static string Kind(SourceKind kind) => kind switch
    {
        SourceKind.MariaDb => "mariadb",
        SourceKind.MySql => "mysql",
        _ => "postgresql",
    };

    internal static string Text(IFormattable value) => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture);

    internal static YamlMappingNode Map(params (string Key, YamlNode Value)[] pairs) =>
        new(pairs.Select(pair => KeyValuePair.Create<YamlNode, YamlNode>(new YamlScalarNode(pair.Key), Quoted(pair.Value))));

    internal static YamlSequenceNode List(IEnumerable<string> items) =>
        new(items.Select(item => Quoted(new YamlScalarNode(item)))) { Style = YamlDotNet.Core.Events.SequenceStyle.Flow };

    private static YamlMappingNode Settings(IReadOnlyDictionary<string, string> settings) =>
        new(settings.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair =>
            KeyValuePair.Create<YamlNode, YamlNode>(Quoted(new YamlScalarNode(pair.Key)), Quoted(new YamlScalarNode(Redaction.Setting(pair.Key, pair.Value))))))
        {
            Style = settings.Count == 0 ? YamlDotNet.Core.Events.MappingStyle.Flow : YamlDotNet.Core.Events.MappingStyle.Block,
        };

    /// <summary>A scalar that YAML would not read as the same text, or that would be taken for a reference, is quoted and escaped.</summary>
    internal static YamlNode Quoted(YamlNode node)
    {
        if (node is YamlScalarNode { Value: { } text } scalar)
        {
            scalar.Value = text.Replace("${", "$${", StringComparison.Ordinal);
            scalar.Style = text.Length == 0 || text is "null" or "~" or "Null" or "NULL" ? ScalarStyle.DoubleQuoted : ScalarStyle.Any;
        }

        return node;
    }
}

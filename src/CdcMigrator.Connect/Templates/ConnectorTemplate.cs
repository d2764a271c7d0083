using System.Globalization;
using System.Text.RegularExpressions;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Connect.Templates;

/// <summary>
/// The faithful source connector of a migration: settings under which what is in the source is what arrives. The reason for each is in
/// <c>connectors/README.md</c>. Deterministic: the same migration file gives the same settings, in the same order.
/// </summary>
public static class ConnectorTemplate
{
    private const string OnePartitionGroup = "ordered";

    /// <summary>Settings as <c>PUT /connectors/{name}/config</c> takes them, the source's password included.</summary>
    /// <exception cref="FaultException">Configuration: the source's connection string cannot be used from Connect, or the embedded log needs no connector.</exception>
    public static IReadOnlyDictionary<string, string> Render(MigrationDefinition definition, ConnectorTemplateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(definition);
        options ??= new ConnectorTemplateOptions();
        if (definition.Log.Kind != LogKind.Kafka)
        {
            throw new FaultException(
                FaultKind.Configuration,
                "no-connector",
                $"Migration {definition.Name} uses the embedded log, which reads the source itself",
                "Set log.kind to kafka to use a connector");
        }

        var source = SourceAddress.Of(definition.Source);
        var settings = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        if (definition.Source.Kind == SourceKind.PostgreSql)
        {
            PostgresSettings.Write(settings, definition, source, options);
        }
        else
        {
            MySqlSettings.Write(settings, definition, source, options);
        }

        Topics(settings, definition.Apply, options);
        OnePartition(settings, definition);
        ConverterSettings.Write(settings, definition.Log, options.JsonSchemas);
        return settings;
    }

    /// <summary>Debezium's lists hold regular expressions; a name becomes one that matches it alone, and stays readable where it can.</summary>
    public static string Pattern(TableName table) => $"{Escape(table.Schema)}.{Escape(table.Name)}";

    /// <summary>The same of one column.</summary>
    internal static string Pattern(TableName table, string column) => $"{Pattern(table)}.{Escape(column)}";

    internal static string Escape(string name) => Regex.Replace(name, @"[\\.^$|?*+()\[\]{},]", @"\$0");

    internal static string Captured(MigrationDefinition definition, params IEnumerable<TableName> further) =>
        string.Join(',', definition.Tables.Select(table => table.Source).Append(ConnectorNames.FenceTable).Concat(further).Distinct().Select(Pattern));

    /// <summary>
    /// Topics that keep every record until it has been applied, and let a row through that is as large as the lanes accept.
    /// Compaction would drop changes; Kafka's default of 1 MiB would stop the connector at the first long text.
    /// </summary>
    private static void Topics(OrderedDictionary<string, string> settings, ApplySection apply, ConnectorTemplateOptions options)
    {
        var largest = Math.Min(apply.MaxRecordBytes, int.MaxValue / 2);
        settings["topic.creation.default.partitions"] = Text(options.Partitions);
        settings["topic.creation.default.replication.factor"] = Text(options.ReplicationFactor);
        settings["topic.creation.default.cleanup.policy"] = "delete";
        settings["topic.creation.default.retention.ms"] = Text((long)TimeSpan.FromDays(14).TotalMilliseconds);
        settings["topic.creation.default.retention.bytes"] = "-1";
        settings["topic.creation.default.max.message.bytes"] = Text(largest);
        settings["producer.override.max.request.size"] = Text(largest);
        settings["producer.override.buffer.memory"] = Text(largest * 2);
    }

    /// <summary>Topics whose order must hold across keys; everything else as for the others.</summary>
    private static void OnePartition(OrderedDictionary<string, string> settings, MigrationDefinition definition)
    {
        var topics = definition.Tables.Where(table => table.OnePartition)
            .Select(table => Escape(Regex.Replace($"{definition.Log.TopicPrefix}.{table.Source.Schema}.{table.Source.Name}", "[^a-zA-Z0-9._-]", "_"))).ToList();
        if (topics.Count > 0)
        {
            settings["topic.creation.groups"] = OnePartitionGroup;
            settings[$"topic.creation.{OnePartitionGroup}.include"] = string.Join(',', topics);
            settings[$"topic.creation.{OnePartitionGroup}.partitions"] = "1";
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

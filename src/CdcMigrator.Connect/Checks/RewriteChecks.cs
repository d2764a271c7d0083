using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Connect.Checks;

/// <summary>Settings that change records between the source and the log: transforms, masks, keys of one's own.</summary>
internal static class RewriteChecks
{
    /// <summary>Adds headers only.</summary>
    private const string HarmlessTransform = "io.debezium.transforms.tracing.ActivateTracingSpan";

    private const string RereadProcessor = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

    public static IEnumerable<Finding> Check(IReadOnlyDictionary<string, string> settings) =>
        [.. Transforms(settings), .. Processors(settings), .. Masks(settings), .. Presence(settings), .. TopicGroups(settings), .. RequestOrder(settings)];

    private static IEnumerable<Finding> Transforms(IReadOnlyDictionary<string, string> settings)
    {
        foreach (var name in NamesIn(settings, "transforms"))
        {
            var type = settings.GetValueOrDefault($"transforms.{name}.type", "");
            if (type == HarmlessTransform)
            {
                continue;
            }

            yield return new Finding(
                Severity.Error,
                "connector-transforms",
                $"Connector setting transforms has '{name}' ({(type.Length == 0 ? "no type" : type)}): it may {Effect(type)}",
                "Remove it from transforms; renaming and leaving out belong into the migration file");
        }
    }

    private static string Effect(string type) => type switch
    {
        _ when type.EndsWith("ExtractNewRecordState", StringComparison.Ordinal) => "flatten records, which lose their operation, before image and source position",
        _ when type.Contains("Router", StringComparison.Ordinal) || type.Contains("Outbox", StringComparison.Ordinal) => "send records to topics where the service does not look for them",
        _ when type.Contains("Filter", StringComparison.Ordinal) => "drop records",
        _ => "change, drop or reroute records",
    };

    private static IEnumerable<Finding> Processors(IReadOnlyDictionary<string, string> settings)
    {
        foreach (var name in NamesIn(settings, "post.processors"))
        {
            var type = settings.GetValueOrDefault($"{name}.type", settings.GetValueOrDefault($"post.processors.{name}.type", ""));
            var reread = type == RereadProcessor;
            yield return new Finding(
                reread ? Severity.Warning : Severity.Error,
                "connector-post-processors",
                reread
                    ? $"Connector setting post.processors has '{name}', which reads columns again while the snapshot runs; CdcMigrator does that itself, and knows that such a value is newer than its change"
                    : $"Connector setting post.processors has '{name}' ({type}), which changes records",
                "Remove post.processors");
        }
    }

    private static IEnumerable<Finding> Masks(IReadOnlyDictionary<string, string> settings) => settings.Keys
        .Where(name => name.StartsWith("column.mask.", StringComparison.Ordinal) || name.StartsWith("column.truncate.", StringComparison.Ordinal))
        .Select(name => new Finding(
            Severity.Error, "connector-column-mask", $"Connector setting {name} is '{settings[name]}': the values of these columns are lost on the way", $"Remove {name}"));

    private static IEnumerable<Finding> Presence(IReadOnlyDictionary<string, string> settings)
    {
        foreach (var (name, why) in new[]
        {
            ("message.key.columns", "records are keyed by other columns than the row's key, so changes of one row may be applied in the wrong order or to the wrong row"),
            ("converters", "values are written in a form of a custom converter, which cannot be read"),
            ("snapshot.query.mode", "the snapshot may leave out rows or columns"),
        })
        {
            if (settings.TryGetValue(name, out var value) && value.Trim() is { Length: > 0 } set && !(name == "snapshot.query.mode" && set == "select_all"))
            {
                yield return new Finding(Severity.Error, SettingRule.CodeOf(name), $"Connector setting {name} is '{set}': {why}", $"Remove {name}");
            }
        }
    }

    /// <summary>The default group is a rule of its own; other groups of topics are named by the user.</summary>
    private static IEnumerable<Finding> TopicGroups(IReadOnlyDictionary<string, string> settings) => settings
        .Where(setting => setting.Key.StartsWith("topic.creation.", StringComparison.Ordinal) && !setting.Key.StartsWith("topic.creation.default.", StringComparison.Ordinal)
            && setting.Key.EndsWith(".cleanup.policy", StringComparison.Ordinal) && setting.Value.Contains("compact", StringComparison.OrdinalIgnoreCase))
        .Select(setting => new Finding(
            Severity.Error,
            SettingRule.CodeOf("topic.creation.cleanup.policy"),
            $"Connector setting {setting.Key} is '{setting.Value}': compaction removes changes that were not applied yet",
            $"Set {setting.Key} to 'delete'"));

    /// <summary>Connect's own default is one request at a time; more keep their order only with idempotence.</summary>
    private static IEnumerable<Finding> RequestOrder(IReadOnlyDictionary<string, string> settings)
    {
        const string InFlight = "producer.override.max.in.flight.requests.per.connection";
        if (settings.TryGetValue(InFlight, out var requests) && requests.Trim() != "1"
            && !settings.GetValueOrDefault("producer.override.enable.idempotence", "").Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            yield return new Finding(
                Severity.Error,
                SettingRule.CodeOf(InFlight),
                $"Connector setting {InFlight} is '{requests}' without idempotence: a repeated request can put changes of one key in the wrong order",
                $"Set {InFlight} to '1'");
        }
    }

    private static string[] NamesIn(IReadOnlyDictionary<string, string> settings, string name) =>
        settings.GetValueOrDefault(name, "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

using System.Text.RegularExpressions;
using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Compose;

/// <summary>Metrics that rules, dashboards and documentation may name, and checks of PromQL against them.</summary>
internal static partial class KnownMetrics
{
    /// <summary>Names of others: Prometheus itself and the .NET client.</summary>
    private static readonly HashSet<string> External = ["up"];

    /// <summary>Labels Prometheus or the registry adds to every series, and that of histogram buckets.</summary>
    private static readonly HashSet<string> CommonLabels = ["job", "instance", "migration", "direction", "le"];

    public static IReadOnlyDictionary<string, (string Type, string[] Labels)> All { get; } = File.ReadLines(Repository.PathOf("tests", "CdcMigrator.UnitTests", "Compose", "known-metrics.txt"))
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split(' '))
        .ToDictionary(parts => parts[1], parts => (parts[0], parts[2..]));

    /// <summary>What is wrong with an expression: names, suffixes or labels nobody exports. Empty where nothing is.</summary>
    public static IEnumerable<string> Faults(string expression)
    {
        var bare = Quoted().Replace(expression, "\"\"");
        var labels = new HashSet<string>(CommonLabels);
        var named = Word().Matches(bare).Select(match => match.Value).Where(word => word.StartsWith("cdcmigrator_", StringComparison.Ordinal)).Distinct().ToList();
        foreach (var name in named)
        {
            var metric = Series().Replace(name, "");
            if (All.TryGetValue(metric, out var known) && known.Type == "histogram" && metric != name)
            {
                labels.UnionWith(known.Labels);
            }
            else if (All.TryGetValue(name, out known) && known.Type != "histogram")
            {
                labels.UnionWith(known.Labels);
            }
            else
            {
                yield return $"{name} is no metric, or a histogram without _bucket, _sum or _count, in: {expression}";
            }
        }

        foreach (var label in UsedLabels().Matches(bare).SelectMany(match => Word().Matches(match.Groups[1].Value)).Select(match => match.Value).Distinct().Where(label => !labels.Contains(label)))
        {
            yield return $"label {label} is on none of {string.Join(", ", named)} in: {expression}";
        }

        if (named.Count == 0 && !External.Any(name => Word().Matches(bare).Any(match => match.Value == name)))
        {
            yield return $"no known metric in: {expression}";
        }
    }

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex("[a-zA-Z_][a-zA-Z0-9_]*")]
    private static partial Regex Word();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Series();

    /// <summary>Labels of <c>by (…)</c> and of matchers.</summary>
    [GeneratedRegex(@"(?:by\s*\(|\{)([^)}]*)[)}]")]
    private static partial Regex UsedLabels();
}

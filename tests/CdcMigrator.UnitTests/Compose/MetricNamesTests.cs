using System.Text.RegularExpressions;
using CdcMigrator.Postgres;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Streaming;
using CdcMigrator.TestKit;
using YamlDotNet.Serialization;

namespace CdcMigrator.UnitTests.Compose;

/// <summary>Alert rules and documentation name only metrics that exist, and all of them.</summary>
public sealed partial class MetricNamesTests
{
    private static readonly string Documentation = File.ReadAllText(Repository.PathOf("docs", "metrics.md"));
    private static readonly List<Dictionary<string, object>> Alerts = ReadAlerts();

    [Fact]
    public void The_list_of_known_metrics_is_what_the_code_registers() => Assert.Equal(
        MetricRecorder.Record(factory => _ = new StreamingMetrics(factory), factory => _ = new PostgresMetrics(factory), factory => _ = new ServiceMetrics(factory)),
        KnownMetrics.All.OrderBy(metric => metric.Key, StringComparer.Ordinal)
            .Select(metric => KeyValuePair.Create(metric.Key, string.Join(' ', [metric.Value.Type, .. metric.Value.Labels]))));

    [Fact]
    public void An_alert_uses_metrics_and_labels_that_exist() => Assert.Empty(Alerts.SelectMany(alert => KnownMetrics.Faults((string)alert["expr"])));

    [Theory]
    [InlineData("sum(cdcmigrator_consumer_lag_record)")]
    [InlineData("rate(cdcmigrator_apply_duration_seconds[5m])")]
    [InlineData("rate(cdcmigrator_changes_applied_total_count[5m])")]
    [InlineData("sum by (tabel) (cdcmigrator_changes_applied_total)")]
    [InlineData("cdcmigrator_connector_tasks{status=\"FAILED\"}")]
    [InlineData("sum(process_resident_memory)")]
    public void A_metric_or_label_nobody_exports_is_found(string expression) => Assert.NotEmpty(KnownMetrics.Faults(expression));

    [Fact]
    public void An_alert_says_what_is_wrong_how_urgent_it_is_and_where_to_read_on() => Assert.All(Alerts, alert =>
    {
        var annotations = (Dictionary<object, object>)alert["annotations"];
        Assert.Contains((string)((Dictionary<object, object>)alert["labels"])["severity"], new[] { "page", "ticket" });
        Assert.NotEmpty((string)annotations["summary"]);
        Assert.NotEmpty((string)annotations["description"]);
        var anchor = ((string)annotations["runbook"]).Split("docs/metrics.md#")[1];
        Assert.Contains(anchor, Heading().Matches(Documentation).Select(match => match.Groups[1].Value.ToLowerInvariant()));
        Assert.Contains((string)alert["alert"], Documentation, StringComparison.Ordinal);
    });

    [Fact]
    public void Every_alert_is_tested()
    {
        var tests = File.ReadAllText(Repository.PathOf("compose", "prometheus", "tests", "cdcmigrator_test.yml"));
        Assert.Empty(Alerts.Select(alert => (string)alert["alert"]).Where(name => !Regex.IsMatch(tests, $@"alertname: {name}\n\s+eval_time: \w+\n\s+exp_alerts:\n")));
    }

    [Fact]
    public void The_documentation_lists_exactly_the_metrics_there_are_with_their_labels()
    {
        var documented = MetricRow().Matches(Documentation).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value.Trim());
        Assert.Equal(
            KnownMetrics.All.ToDictionary(metric => metric.Key, metric => string.Join(", ", metric.Value.Labels)).OrderBy(metric => metric.Key, StringComparer.Ordinal),
            documented.OrderBy(metric => metric.Key, StringComparer.Ordinal));
    }

    private static List<Dictionary<string, object>> ReadAlerts()
    {
        var root = new DeserializerBuilder().Build().Deserialize<Dictionary<string, List<Dictionary<string, object>>>>(File.ReadAllText(Repository.PathOf("compose", "prometheus", "rules", "cdcmigrator.yml")));
        return [.. root["groups"].SelectMany(group => (List<object>)group["rules"])
            .Select(rule => ((Dictionary<object, object>)rule).ToDictionary(pair => (string)pair.Key, pair => pair.Value))];
    }

    [GeneratedRegex(@"(?m)^### (\w+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"(?m)^\| `(cdcmigrator_\w+)` \|([^|]*)\|")]
    private static partial Regex MetricRow();
}

using System.Text.Json;
using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Compose;

public sealed class DashboardTests
{
    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Repository.PathOf("compose", "grafana", "dashboards"), "*.json").Select(path => Path.GetFileName(path)!)];

    [Fact]
    public void Dashboards_have_stable_ids_of_their_own()
    {
        var uids = Files.Select(file => Read(file.Data).GetProperty("uid").GetString()!).ToList();
        Assert.NotEmpty(uids);
        Assert.Distinct(uids);
        Assert.All(uids, uid => Assert.StartsWith("cdcm-", uid, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_expression_uses_metrics_and_labels_that_exist(string file)
    {
        var expressions = Strings(Read(file), "expr").Concat(Strings(Read(file), "definition").Select(LabelValues)).ToList();
        Assert.True(expressions.Count > 20);
        Assert.Empty(expressions.SelectMany(expression => KnownMetrics.Faults(expression.Replace("$__rate_interval", "5m", StringComparison.Ordinal))));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_metric_is_on_a_dashboard(string file)
    {
        var text = string.Join('\n', Strings(Read(file), "expr"));
        Assert.Equal(["cdcmigrator_build_info", "cdcmigrator_offsets_committed_total"], KnownMetrics.All.Keys.Where(metric => !text.Contains(metric, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_panel_explains_itself_and_has_a_unit(string file) => Assert.All(Panels(file), panel =>
    {
        var title = panel.GetProperty("title").GetString();
        Assert.False(string.IsNullOrEmpty(panel.GetProperty("description").GetString()), title);
        var unit = panel.GetProperty("type").GetString() == "heatmap" ? panel.GetProperty("options").GetProperty("yAxis") : panel.GetProperty("fieldConfig").GetProperty("defaults");
        Assert.False(string.IsNullOrEmpty(unit.GetProperty("unit").GetString()), title);
    });

    [Theory]
    [MemberData(nameof(Files))]
    public void The_data_source_is_chosen_by_the_variable(string file)
    {
        var sources = Objects(Read(file), "datasource").ToList();
        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.Equal("${datasource}", source.GetProperty("uid").GetString()));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Rates_over_time_use_the_interval_of_the_panel(string file) => Assert.All(
        Panels(file).Where(panel => panel.GetProperty("type").GetString() is "timeseries" or "heatmap").SelectMany(panel => Strings(panel, "expr"))
            .Where(expression => expression.Contains("rate(", StringComparison.Ordinal) || expression.Contains("increase(", StringComparison.Ordinal)),
        expression => Assert.Contains("[$__rate_interval]", expression, StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Files))]
    public void Panels_do_not_lie_on_each_other(string file)
    {
        var taken = new Dictionary<(int X, int Y), string>();
        foreach (var panel in Read(file).GetProperty("panels").EnumerateArray())
        {
            var at = panel.GetProperty("gridPos");
            var (x, y, w, h) = (at.GetProperty("x").GetInt32(), at.GetProperty("y").GetInt32(), at.GetProperty("w").GetInt32(), at.GetProperty("h").GetInt32());
            Assert.True(x + w <= 24);
            foreach (var cell in from column in Enumerable.Range(x, w) from line in Enumerable.Range(y, h) select (column, line))
            {
                Assert.True(taken.TryAdd(cell, panel.GetProperty("title").GetString()!), $"{panel.GetProperty("title")} lies on {taken[cell]}");
            }
        }

        Assert.Distinct(Read(file).GetProperty("panels").EnumerateArray().Select(panel => panel.GetProperty("id").GetInt32()));
    }

    [Fact]
    public void The_home_page_and_the_provider_point_to_the_mounted_folder()
    {
        var compose = File.ReadAllText(Repository.PathOf("compose", "compose.yaml"));
        Assert.Contains("./grafana/dashboards:/etc/grafana/dashboards:ro", compose, StringComparison.Ordinal);
        Assert.Contains("/etc/grafana/dashboards/migration.json", compose, StringComparison.Ordinal);
        Assert.Contains("path: /etc/grafana/dashboards", File.ReadAllText(Repository.PathOf("compose", "grafana", "provisioning", "dashboards", "cdcmigrator.yml")), StringComparison.Ordinal);
    }

    private static JsonElement Read(string file) => JsonDocument.Parse(File.ReadAllText(Repository.PathOf("compose", "grafana", "dashboards", file))).RootElement;

    private static IEnumerable<JsonElement> Panels(string file) => Read(file).GetProperty("panels").EnumerateArray().Where(panel => panel.GetProperty("type").GetString() != "row");

    /// <summary>label_values(metric, label) as an expression that uses both.</summary>
    private static string LabelValues(string query)
    {
        var parts = query["label_values(".Length..^1].Split(',', StringSplitOptions.TrimEntries);
        return $"sum by ({parts[1]}) ({parts[0]})";
    }

    private static IEnumerable<string> Strings(JsonElement element, string name) =>
        Find(element, name).Where(found => found.ValueKind == JsonValueKind.String).Select(found => found.GetString()!);

    private static IEnumerable<JsonElement> Objects(JsonElement element, string name) => Find(element, name).Where(found => found.ValueKind == JsonValueKind.Object);

    private static IEnumerable<JsonElement> Find(JsonElement element, string name) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => property.Name == name ? [property.Value] : Find(property.Value, name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(item => Find(item, name)),
        _ => [],
    };
}

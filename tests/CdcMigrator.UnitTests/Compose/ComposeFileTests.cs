using System.Text.RegularExpressions;
using CdcMigrator.TestKit;
using YamlDotNet.Serialization;

namespace CdcMigrator.UnitTests.Compose;

/// <summary>What can be known of the stack without a container engine. The schema itself is checked by <c>docker compose config</c> in CI.</summary>
public sealed partial class ComposeFileTests
{
    /// <summary>The keys of the Compose specification this file uses; another one is added here knowingly, or is a spelling mistake.</summary>
    private static readonly HashSet<string> ServiceKeys =
    [
        "build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "ports", "profiles", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes",
    ];

    private static readonly HashSet<string> HealthcheckKeys = ["test", "interval", "timeout", "retries", "start_period", "disable"];
    private static readonly string Text = File.ReadAllText(PathOf("compose.yaml"));
    private static readonly Dictionary<string, Dictionary<object, object>> Services = Parse();

    public static TheoryData<string> Names => [.. Services.Keys];

    [Fact]
    public void The_stack_has_every_part_of_a_migration() => Assert.Equal(
        ["cdcm", "connect", "grafana", "kafka", "load", "prometheus", "register", "registry", "source", "target"], Services.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_service_uses_known_keys_only(string name)
    {
        Assert.Empty(Services[name].Keys.Cast<string>().Except(ServiceKeys));
        Assert.Empty(Map(Services[name], "healthcheck").Keys.Cast<string>().Except(HealthcheckKeys));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_image_has_an_exact_version_or_is_built_here(string name)
    {
        var image = (string)Services[name]["image"];
        Assert.Matches(Services[name].ContainsKey("build") ? "^cdcm:local$" : @":v?\d+\.\d+(\.\d+)?(\.Final)?$", image);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_long_running_service_has_a_healthcheck_in_exec_form_or_one_in_its_image(string name)
    {
        var service = Services[name];
        var health = Map(service, "healthcheck");
        if (health.TryGetValue("test", out var test))
        {
            Assert.Equal("CMD", ((List<object>)test)[0]);
        }
        else
        {
            var runsOnce = (string?)service.GetValueOrDefault("restart") == "no";
            Assert.True(runsOnce || service.ContainsKey("build"), $"{name} has no healthcheck");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_dependency_exists_and_can_meet_its_condition(string name)
    {
        foreach (var (dependency, value) in Map(Services[name], "depends_on"))
        {
            var on = Services[(string)dependency];
            var condition = (string)((Dictionary<object, object>)value)["condition"];
            var runsOnce = (string?)on.GetValueOrDefault("restart") == "no";
            Assert.Equal(runsOnce ? "service_completed_successfully" : "service_healthy", condition);
            var optional = ((Dictionary<object, object>)value).GetValueOrDefault("required") is "false";
            Assert.True(optional || !on.ContainsKey("profiles"), $"{name} needs {dependency}, which a profile leaves out");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_port_is_open_on_this_machine_only(string name) =>
        Assert.All(List(Services[name], "ports"), port => Assert.StartsWith("127.0.0.1:${", (string)port, StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_mounted_file_is_in_the_repository_and_read_only_and_a_volume_is_declared(string name)
    {
        foreach (var volume in List(Services[name], "volumes").Cast<string>())
        {
            var from = Variable().Replace(volume, match => match.Groups["default"].Value).Split(':')[0];
            if (from.StartsWith("./", StringComparison.Ordinal))
            {
                Assert.True(Path.Exists(PathOf(from)), $"{name} mounts {from}, which is not there");
                Assert.EndsWith(":ro", volume, StringComparison.Ordinal);
            }
            else
            {
                Assert.Matches($@"(?m)^  {from}:$", Text);
            }
        }
    }

    [Fact]
    public void Every_variable_is_explained_in_the_example_with_its_default()
    {
        var example = File.ReadLines(PathOf(".env.example")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('=', 2)).ToDictionary(parts => parts[0], parts => parts[1]);
        var used = Variable().Matches(Text).Select(match => (Name: match.Groups["name"].Value, Default: match.Groups["default"].Value)).Distinct().ToDictionary(pair => pair.Name, pair => pair.Default);
        Assert.Equal(used.OrderBy(pair => pair.Key, StringComparer.Ordinal), example.OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void The_service_has_time_to_drain_before_it_is_killed() => Assert.Equal("45s", Services["cdcm"]["stop_grace_period"]);

    [Fact]
    public void Source_and_target_run_different_majors_of_postgresql_with_the_volume_each_expects()
    {
        Assert.StartsWith("postgres:17.", (string)Services["source"]["image"], StringComparison.Ordinal);
        Assert.Contains("source-data:/var/lib/postgresql/data", List(Services["source"], "volumes"));
        Assert.StartsWith("postgres:18.", (string)Services["target"]["image"], StringComparison.Ordinal);
        Assert.Contains("target-data:/var/lib/postgresql", List(Services["target"], "volumes"));
    }

    private static Dictionary<string, Dictionary<object, object>> Parse()
    {
        // Merge keys (<<) are resolved by the parser, as Compose does.
        var parser = new YamlDotNet.Core.MergingParser(new YamlDotNet.Core.Parser(new StringReader(Text)));
        var root = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(parser);
        return ((Dictionary<object, object>)root["services"]).ToDictionary(service => (string)service.Key, service => (Dictionary<object, object>)service.Value);
    }

    private static Dictionary<object, object> Map(Dictionary<object, object> service, string key) => service.GetValueOrDefault(key) as Dictionary<object, object> ?? [];

    private static List<object> List(Dictionary<object, object> service, string key) => service.GetValueOrDefault(key) as List<object> ?? [];

    private static string PathOf(string path) => Path.GetFullPath(Repository.PathOf("compose", path));

    [GeneratedRegex(@"\$\{(?<name>[A-Z_]+):-(?<default>[^}]*)\}")]
    private static partial Regex Variable();
}

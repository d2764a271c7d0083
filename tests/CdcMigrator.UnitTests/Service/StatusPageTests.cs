using System.Text.RegularExpressions;
using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Service;

public sealed partial class StatusPageTests
{
    private static readonly string Html = File.ReadAllText(Repository.PathOf("src", "CdcMigrator.Service", "Http", "status.html"));

    [Fact]
    public void The_page_loads_nothing_from_anywhere_else() =>
        Assert.All(Address().Matches(Html).Select(match => match.Value), address => Assert.Equal("http://www.w3.org", address));

    [Fact]
    public void What_the_service_says_never_becomes_markup() => Assert.DoesNotContain("innerHTML", Html, StringComparison.Ordinal);

    [Fact]
    public void Every_place_the_script_writes_to_is_on_the_page()
    {
        var ids = Place().Matches(Html).Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(ids);
        Assert.All(ids, id => Assert.Contains($"id=\"{id}\"", Html, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"https?://[a-z0-9.]+")]
    private static partial Regex Address();

    [GeneratedRegex("(?:at|text)\\(\"([a-z]+)\"")]
    private static partial Regex Place();
}

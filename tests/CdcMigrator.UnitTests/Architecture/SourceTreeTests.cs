using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Architecture;

/// <summary>Rules a reader relies on that no compiler checks.</summary>
public sealed class SourceTreeTests
{
    private static readonly string[] Sources = [.. new[] { "src", "tests" }
        .SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*.cs", SearchOption.AllDirectories))
        .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))];

    [Fact]
    public void No_file_is_longer_than_four_hundred_lines() =>
        Assert.Empty(Sources.Where(path => File.ReadLines(path).Count() > 400));

    [Fact]
    public void Nothing_is_called_helper_or_utils() =>
        Assert.Empty(Sources.Where(path => Path.GetFileName(path).Contains("Helper", StringComparison.OrdinalIgnoreCase)
            || Path.GetFileName(path).Contains("Util", StringComparison.OrdinalIgnoreCase)));

    [Fact]
    public void No_test_asserts_a_duration_or_sleeps_a_fixed_time()
    {
        var suspicious = Sources
            .SelectMany(path => File.ReadLines(path).Select((line, index) => (path, line, index)))
            .Where(at => at.line.Contains("Thread" + ".Sleep(", StringComparison.Ordinal));
        Assert.Empty(suspicious.Select(at => $"{at.path}:{at.index + 1}"));
    }
}

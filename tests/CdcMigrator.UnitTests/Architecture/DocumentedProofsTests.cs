using System.Text.RegularExpressions;
using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Architecture;

/// <summary>What the documentation offers as proof is there: a test by its name, a finding of preflight by its code.</summary>
public sealed partial class DocumentedProofsTests
{
    private static readonly string TestSources = Read("tests", "*.cs");
    private static readonly string ProgramSources = Read("src", "*.cs");

    [Fact]
    public void Every_test_the_documentation_names_exists()
    {
        var unknown = Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md")
            .Append(Repository.PathOf("README.md"))
            .SelectMany(path => TestName().Matches(File.ReadAllText(path)).Select(match => (path, name: match.Groups[1].Value)))
            .Where(named => !TestSources.Contains($" {named.name}(", StringComparison.Ordinal))
            .Select(named => $"{Path.GetFileName(named.path)}: {named.name}");
        Assert.Empty(unknown);
    }

    [Fact]
    public void Every_trap_has_a_test_or_a_finding_of_preflight()
    {
        var rows = File.ReadLines(Repository.PathOf("docs", "delivery-semantics.md")).Select(line => TrapRow().Match(line)).Where(row => row.Success).ToList();
        Assert.Equal(Enumerable.Range(1, 50).Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)), rows.Select(row => row.Groups["number"].Value));
        Assert.Empty(rows.Where(row => !TestName().IsMatch(row.Groups["proof"].Value) && !FindingCode().IsMatch(row.Groups["proof"].Value)).Select(row => row.Value));
        Assert.Empty(rows
            .SelectMany(row => FindingCode().Matches(row.Groups["proof"].Value).Select(code => (row.Groups["number"].Value, Code: code.Groups[1].Value)))
            .Where(finding => !ProgramSources.Contains($"\"{finding.Code}\"", StringComparison.Ordinal)));
    }

    private static string Read(string folder, string pattern) => string.Join('\n', Directory
        .EnumerateFiles(Repository.PathOf(folder), pattern, SearchOption.AllDirectories)
        .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .Select(File.ReadAllText));

    /// <summary>A test's name is a sentence: a capital letter and words joined by underscores.</summary>
    [GeneratedRegex("`([A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+){2,})`")]
    private static partial Regex TestName();

    /// <summary>A finding's code is lower-case words joined by hyphens, or a connector's setting in the check that names it.</summary>
    [GeneratedRegex("`preflight: ([a-z][a-z.-]+)`")]
    private static partial Regex FindingCode();

    [GeneratedRegex(@"^\| (?<number>\d+) \|(?<trap>[^|]*)\|(?<here>[^|]*)\|(?<proof>[^|]*)\|$")]
    private static partial Regex TrapRow();
}
